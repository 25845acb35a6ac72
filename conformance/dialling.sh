#!/bin/sh
# dialling.sh ADDR PEER RELAY [OPTION...]: runs a relay at ADDR that links to the suite at PEER, and
# measures it.  wzp-conformance run --config dialling='dialling.sh {addr} {peer} wzp-relay' ...
addr=$1 peer=$2
shift 2
exec "$@" --listen "$addr" --config /dev/fd/3 3<<TOML
probe_targets = ["$peer"]
[[peers]]
url = "$peer"
fingerprint = "86:a8:5e:15:09:ec:6f:20:6e:22:d6:4e:f8:6e:2e:02:57:06:04:87:d9:c5:82:e4:62:20:a1:d3:51:63:c5:85"
label = "wzp-ct-peer-1"
[[global_rooms]]
name = "general"
TOML

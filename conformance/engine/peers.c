#include "conformance/engine/peers.h"

const wzp_ct_peer wzp_ct_peers[WZP_CT_PEERS] = {
    {"wzp-conformance-peer-relay-seed1",
     "86:a8:5e:15:09:ec:6f:20:6e:22:d6:4e:f8:6e:2e:02:57:06:04:87:d9:c5:82:e4:62:20:a1:d3:51:63:c5:"
     "85",
     "wzp-ct-peer-1"},
    {"wzp-conformance-peer-relay-seed2",
     "e6:4c:ca:03:6e:7f:3d:b8:6b:0d:7d:fb:ee:a0:1a:83:98:21:6a:c1:8c:69:62:c6:19:e3:87:db:29:69:0f:"
     "cf",
     "wzp-ct-peer-2"},
    {"wzp-conformance-peer-relay-seed3",
     "c0:6e:0c:52:1f:dd:05:eb:22:5e:be:c5:ef:fd:7a:7e:fe:8c:76:ca:3f:e2:14:f6:63:a8:d6:2b:47:f1:ff:"
     "a7",
     "wzp-ct-peer-3"},
    {"wzp-conformance-peer-relay-seed4",
     "02:37:96:eb:a4:7b:87:05:9e:03:e9:f5:39:35:b6:5d:28:8f:c0:53:d0:83:c6:22:60:54:f4:62:8b:28:ea:"
     "95",
     "wzp-ct-peer-4"},
    {"wzp-conformance-peer-relay-seed5",
     "37:78:31:94:f6:73:4d:6e:fb:9d:c8:2b:2e:bb:7b:fe:14:ca:c0:e1:11:e9:0f:3c:05:1a:de:2d:b4:d5:48:"
     "0d",
     "wzp-ct-peer-5"},
    {"wzp-conformance-peer-relay-seed6",
     "f8:55:5f:49:1e:8d:99:bd:78:d7:59:b3:1c:c8:fa:20:70:39:9d:1d:be:90:e7:ab:ea:e8:1c:45:a2:38:33:"
     "44",
     "wzp-ct-peer-6"},
};

const char *const wzp_ct_rooms[WZP_CT_ROOMS] = {"general",  "android",  "wzp-ct-1", "wzp-ct-2",
                                                "wzp-ct-3", "wzp-ct-4", "wzp-ct-5", "wzp-ct-6"};

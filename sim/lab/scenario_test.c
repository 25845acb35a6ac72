#include "sim/lab/scenario.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/testing/suite.h"
#include "io/files.h"
#include "io/sys.h"
#include "sim/lab/testing/text.h"
#include "wire/registry.h"

#define SOME_TEXT WZP_SOURCE_DIR "/sim/host/README.md"
#define HOSTS "name = \"t\"\n[host.x]\n[host.y]\n"

/* --- what is refused -------------------------------------------------------------------------- */

static const struct bad_case {
    const char *name, *text, *want;
} bad_cases[] = {
    {"no name", "[host.x]\n[host.y]\n",
     "t.toml: a scenario needs a name, as name = \"N14 prc-symrand\"\n"},
    {"no host", "name = \"t\"\n", "t.toml: there is no host, as [host.x]\n"},
    {"unknown section", HOSTS "[hosst.z]\n",
     "t.toml:4: hosst: a scenario has no such key ('host'?); it has: name, about, duration, seed, "
     "policy, needs, access, host, lan, relay, stun, core, call, event, expect\n"},
    {"unknown key of a host", "name = \"t\"\n[host.x]\nacess = \"lte\"\n[host.y]\n",
     "t.toml:3: host.x.acess: a host has no such key ('access'?); it has: address, address6, "
     "filtering6, lan, "
     "access, nat, firewall, gateway, pool, local, clat, way, port, skew, ahead, processing, "
     "client, signals, count\n"},
    {"bad host name", "name = \"t\"\n[host.X]\n[host.y]\n",
     "t.toml:2: host.X: a name is 1 to 31 of a-z, 0-9 and _, begins with a letter, and is not "
     "\"core\"\n"},
    {"unknown access", "name = \"t\"\n[host.x]\naccess = \"lteX\"\n[host.y]\n",
     "t.toml:3: host.x.access: there is no access 'lteX' ('lte'?); there are: fiber, cable, dsl, "
     "wifi-good, wifi-bad, lte, lte-drive, 3g, starlink, geo, corp-vpn\n"},
    {"access is a number", "name = \"t\"\n[host.x]\naccess = 3\n[host.y]\n",
     "t.toml:3: host.x.access: expected the name of an access, as \"lte\", or a table, not 3\n"},
    {"unknown NAT", "name = \"t\"\n[host.x]\nnat = \"symran\"\n[host.y]\n",
     "t.toml:3: host.x.nat: there is no NAT 'symran' ('symrand'?); there are: nat64, pub, fw, "
     "1to1, "
     "fullcone, addrcone, linux-masq, mikrotik, pf, symseq, symseq2, adm, symrand, cgn-rfc, "
     "cgn-hard, pool-arb, natlab-easy, natlab-easyaf, natlab-hard, pion-default, ns3-rebind, "
     "double-easy, double-hard\n"},
    {"NAT table without a preset", "name = \"t\"\n[host.x]\nnat = {mapping = \"EIM\"}\n[host.y]\n",
     "t.toml:3: host.x.nat: a NAT needs a preset to begin with, as preset = \"linux-masq\"\n"},
    {"unknown mapping",
     "name = \"t\"\n[host.x]\nnat = {preset = \"pf\", mapping = \"AMD\"}\n[host.y]\n",
     "t.toml:3: host.x.nat.mapping: there is no value 'AMD' ('ADM' or 'APDM'?); there are: EIM, "
     "ADM, APDM\n"},
    {"five boxes",
     "name = \"t\"\n[host.x]\nnat = [\"pf\", \"pf\", \"pf\", \"double-easy\"]\n[host.y]\n",
     "t.toml:3: host.x.nat[3]: expected at most 4 boxes in a row\n"},
    {"delay without a unit", "name = \"t\"\n[host.x]\naccess = {delay = 20}\n[host.y]\n",
     "t.toml:3: host.x.access.delay: expected a time with its unit, as \"20 ms\", not 20\n"},
    {"no file of payloads", HOSTS "[call]\npayloads = \"nowhere.txt\"\n",
     "t.toml:5: call.payloads: nowhere.txt cannot be read: No such file or directory\n"},
    {"payloads that are none", HOSTS "[call]\npayloads = \"" SOME_TEXT "\"\n",
     "t.toml:5: call.payloads: " SOME_TEXT
     ":3: not hexadecimal; expected Opus packets in hexadecimal, one a line\n"},
    {"delay in the wrong unit",
     "name = \"t\"\n[host.x]\naccess = {delay = \"20 kbit/s\"}\n[host.y]\n",
     "t.toml:3: host.x.access.delay: expected a time with one of the units ns us ms s min h, as "
     "\"20 ms\", not \"20 kbit/s\"\n"},
    {"loss over 1", "name = \"t\"\n[host.x]\naccess = {loss = \"120 %\"}\n[host.y]\n",
     "t.toml:3: host.x.access.loss: expected 0 ppm to 100 %, not 120 %\n"},
    {"loss finer than ppm", "name = \"t\"\n[host.x]\naccess = {loss = \"0.00001 %\"}\n[host.y]\n",
     "t.toml:3: host.x.access.loss: \"0.00001 %\" has more decimals than are kept\n"},
    {"backward range", "name = \"t\"\n[host.x]\naccess = {delay = \"50..10 ms\"}\n[host.y]\n",
     "t.toml:3: host.x.access.delay: the range \"50..10 ms\" ends below its start\n"},
    {"unknown queue",
     "name = \"t\"\n[host.x]\naccess = {up = {queue = {kind = \"codle\"}}}\n[host.y]\n",
     "t.toml:3: host.x.access.up.queue.kind: there is no value 'codle' ('codel'?); there are: "
     "droptail, drophead, codel, fq-codel, pie, dual\n"},
    {"unknown LAN", "name = \"t\"\n[host.x]\nlan = \"hom\"\n[host.y]\n[lan.home]\nnat = \"pf\"\n",
     "t.toml:3: host.x.lan: there is no LAN 'hom' ('home'?); there are: home\n"},
    {"no LAN at all", "name = \"t\"\n[host.x]\nlan = \"home\"\n[host.y]\n",
     "t.toml:3: host.x.lan: there is no LAN 'home', nor any other\n"},
    {"LAN without a box", HOSTS "[lan.home]\n",
     "t.toml:4: lan.home: a LAN needs a nat or a firewall between it and the rest\n"},
    {"line into a LAN without a delay",
     "name = \"t\"\n[host.x]\nlan = \"home\"\naccess = {delay = \"0 s\"}\n[host.y]\n"
     "[lan.home]\nnat = \"pf\"\n",
     "t.toml:2: host.x: a line into a LAN needs a delay above 0\n"},
    {"LANs in a circle",
     HOSTS "[lan.a]\nnat = \"pf\"\nlan = \"b\"\n[lan.b]\nnat = \"pf\"\nlan = \"a\"\n",
     "t.toml:4: lan.a: lies within itself\nt.toml:7: lan.b: lies within itself\n"},
    {"gateway without a NAT", "name = \"t\"\n[host.x]\ngateway = {pmp = \"serves\"}\n[host.y]\n",
     "t.toml:3: host.x.gateway: a gateway needs a nat between IPv4 and IPv4\n"},
    {"gateway on a NAT64",
     "name = \"t\"\n[host.x]\nnat = \"nat64\"\ngateway = {pcp = \"serves\"}\n[host.y]\n",
     "t.toml:4: host.x.gateway: a gateway needs a nat between IPv4 and IPv4\n"},
    {"CLAT without a NAT64", "name = \"t\"\n[host.x]\nnat = \"pf\"\nclat = true\n[host.y]\n",
     "t.toml:2: host.x: clat needs nat = \"nat64\"\n"},
    {"NAT64 in a row", "name = \"t\"\n[host.x]\nnat = [\"pf\", \"nat64\"]\n[host.y]\n",
     "t.toml:2: host.x: a nat64 is the only box of its way\n"},
    {"IPv4 behind a NAT64",
     "name = \"t\"\n[host.x]\nnat = \"nat64\"\nlocal = \"10.0.0.1\"\n[host.y]\n",
     "t.toml:2: host.x: there is no local IPv4 address behind a nat64\n"},
    {"NAT64 of a LAN", HOSTS "[lan.home]\nnat = \"nat64\"\n",
     "t.toml:4: lan.home: a nat64 belongs to one host, as host.x.nat\n"},
    {"too many STUN servers", HOSTS "[stun]\nservers = 9\n",
     "t.toml:5: stun.servers: expected 0 to 4, not 9\n"},
    {"two of one name", HOSTS "[lan.x]\nnat = \"pf\"\n",
     "t.toml:4: lan.x: a host has this name already\n"},
    {"two at one address",
     "name = \"t\"\n[host.x]\naddress = \"192.0.2.9\"\n[host.y]\naddress = \"192.0.2.9\"\n",
     "t.toml: x and y have the same address 192.0.2.9\n"},
    {"not an address", "name = \"t\"\n[host.x]\naddress = \"300.1.1.1\"\n[host.y]\n",
     "t.toml:3: host.x.address: \"300.1.1.1\" is no IPv4 or IPv6 address, as \"203.0.113.5\"\n"},
    {"core path without a delay", HOSTS "[core]\nx-y = {delay = \"0 ms\"}\n",
     "t.toml:5: core.x-y: a core path needs a delay above 0\n"},
    {"core path to nowhere", HOSTS "[core]\nx-z = {}\n",
     "t.toml:5: core.x-z: there is no place at the core 'z'; there are: x, y, relay\n"},
    {"core without a delay", HOSTS "[core]\ndelay = \"0 s\"\n",
     "t.toml:5: core.delay: expected 1 ns to 1 min, not 0 ns\n"},
    {"call to nobody", HOSTS "[call]\nfrom = \"x\"\nto = \"z\"\n",
     "t.toml:6: call.to: there is no host 'z'; there are: x, y\n"},
    {"call with oneself", HOSTS "[call]\nfrom = \"x\"\nto = \"x\"\n",
     "t.toml:6: call.to: 'x' is in this call already\n"},
    {"call of one", HOSTS "[[call]]\nfrom = \"x\"\n",
     "t.toml:4: call[0]: a call needs two members, in `from` and `to`\n"},
    {"call that ends too late", HOSTS "[call]\nend = \"2 min\"\n",
     "t.toml:4: call: a call ends after its start and within the scenario's duration\n"},
    {"a score beyond the scale", HOSTS "[expect]\nmos = 5\n",
     "t.toml:5: expect.mos: expected a mean opinion score of 1 to 4.5, not 5\n"},
    {"a score in words", HOSTS "[expect]\nmos = \"good\"\n",
     "t.toml:5: expect.mos: expected a mean opinion score of 1 to 4.5, not \"good\"\n"},
    {"unknown codec", HOSTS "[call]\ncodec = \"Opus24\"\n",
     "t.toml:5: call.codec: there is no audio codec 'Opus24' ('Opus24k'?); there are: Opus24k, "
     "Opus16k, Opus6k, Opus32k, Opus48k, Opus64k\n"},
    {"unknown event", HOSTS "[[event]]\nat = \"1 s\"\ndo = \"flsh\"\ntarget = \"x\"\n",
     "t.toml:6: event[0].do: there is no value 'flsh' ('flush'?); there are: flush, reboot, "
     "rebind-port, rebind-addr, expire, cut, restore, set, if-switch, if-down, if-up, kill-relay, "
     "restart-relay, lose-signals, renumber, mark, leave, abuse\n"},
    {"event without a time", HOSTS "[[event]]\ndo = \"leave\"\ntarget = \"x\"\n",
     "t.toml:4: event[0]: an event needs `at`\n"},
    {"unknown target", HOSTS "[[event]]\nat = \"1 s\"\ndo = \"cut\"\ntarget = \"x.acces\"\n",
     "t.toml:7: event[0].target: there is no target 'x.acces' ('x.access'?); there are: x, "
     "x.access, "
     "y, y.access, relay\n"},
    {"target that does not fit", HOSTS "[[event]]\nat = \"1 s\"\ndo = \"flush\"\ntarget = \"x\"\n",
     "t.toml:4: event[0]: flush needs for its target a box, as \"x.nat\", not \"x\"\n"},
    {"reboot of no length",
     "name = \"t\"\n[host.x]\nnat = \"pf\"\n[host.y]\n[[event]]\nat = \"1 s\"\ndo = \"reboot\"\n"
     "target = \"x.nat\"\n",
     "t.toml:5: event[0]: reboot needs `for`, how long it lasts\n"},
    {"event after the end", HOSTS "[[event]]\nat = \"61 s\"\ndo = \"leave\"\ntarget = \"x\"\n",
     "t.toml:4: event[0]: it begins or ends after the end of the scenario\n"},
    {"switch to nowhere",
     HOSTS "[[event]]\nat = \"1 s\"\ndo = \"if-switch\"\ntarget = \"x\"\nto = \"lte\"\n",
     "t.toml:4: event[0]: `to` is no way out of x\n"},
    {"set of nothing", HOSTS "[[event]]\nat = \"1 s\"\ndo = \"set\"\ntarget = \"x.access\"\n",
     "t.toml:4: event[0]: set needs `link`, as link = {rate = \"48 kbit/s\"}\n"},
    {"unknown need", "name = \"t\"\nneeds = \"dirct\"\n[host.x]\n[host.y]\n",
     "t.toml:2: needs: there is no need 'dirct' ('direct'?); there are: direct, signals, "
     "port-mapping, upnp, prediction, birthday, intruder, signal-loss, federation, ipv6, "
     "quick-loss, resume, recovery, adaptation, codec2, "
     "sparse-acks, drift\n"},
    {"signal that does not exist",
     "name = \"t\"\n[host.x]\nsignals = {name = \"CallAnser\", way = \"in\", do = \"drop\"}\n"
     "[host.y]\n",
     "t.toml:3: host.x.signals.name: there is no signal 'CallAnser' ('CallAnswer'?); there are: "
     "any, CallOffer, CallAnswer, IceCandidate, Rekey, QualityUpdate, LossRecoveryUpdate, Ping, "
     "Pong, Hangup, AuthToken, Hold, Unhold, Mute, Unmute, Transfer, TransferAck, PresenceUpdate, "
     "RouteQuery, RouteResponse, SessionForward, SessionForwardAck, RoomUpdate, FederationHello, "
     "GlobalRoomActive, ...\n"},
    {"fault without a way",
     "name = \"t\"\n[host.x]\nsignals = [{name = \"any\", do = \"drop\"}]\n[host.y]\n",
     "t.toml:3: host.x.signals[0]: a fault needs `name`, `way` and `do`\n"},
    {"delay of nothing",
     "name = \"t\"\n[host.x]\nsignals = {name = \"any\", way = \"in\", do = \"delay\"}\n[host.y]\n",
     "t.toml:3: host.x.signals: delay needs `by`\n"},
    {"a claim that no client makes",
     "name = \"t\"\n[host.x]\nclient = {allocation = \"wild\"}\n[host.y]\n",
     "t.toml:3: host.x.client.allocation: expected \"port-preserving\", \"sequential(delta=1)\", "
     "\"random\" or \"unknown\", not \"wild\"\n"},
    {"birthday with probes in bursts",
     "name = \"t\"\n[host.x]\nclient = {birthday = {sockets = 32, probes = 128, every = \"5 "
     "ms\"}}\n"
     "[host.y]\n",
     "t.toml:3: host.x.client.birthday.every: expected at least 10 ms, not 5 ms\n"},
    {"a signal that does not exist must not be said",
     "name = \"t\"\n[host.x]\n[host.y]\n[expect]\nunsaid = \"HardNatBirthdayEnd\"\n",
     "t.toml:5: expect.unsaid: there is no signal 'HardNatBirthdayEnd' ('HardNatBirthdayStart'?); "
     "there are: CallOffer, CallAnswer, IceCandidate, Rekey, QualityUpdate, LossRecoveryUpdate, "
     "Ping, Pong, Hangup, AuthToken, Hold, Unhold, Mute, Unmute, Transfer, TransferAck, "
     "PresenceUpdate, RouteQuery, RouteResponse, SessionForward, SessionForwardAck, RoomUpdate, "
     "FederationHello, GlobalRoomActive, ...\n"},
    {"birthday with one guest",
     "name = \"t\"\nneeds = \"birthday\"\n[host.x]\nclient = {birthday = {sockets = "
     "32}}\n[host.y]\n",
     "t.toml:4: host.x.client.birthday: a birthday attack needs `sockets` and `probes`\n"},
    {"stranger to nobody",
     "name = \"t\"\nneeds = \"intruder\"\n[host.x]\nclient = {intrudes = \"z\"}\n[host.y]\n",
     "t.toml:4: host.x.client.intrudes: there is no host 'z'; there are: x, y\n"},
    {"renumbering of what has no NAT",
     HOSTS "[[event]]\nat = \"1 s\"\ndo = \"renumber\"\ntarget = \"x\"\nto = \"10.0.0.9\"\n",
     "t.toml:4: event[0]: `to` is IPv4: x needs a nat that hides it\n"},
    {"new prefix of what has no IPv6",
     HOSTS "[[event]]\nat = \"1 s\"\ndo = \"renumber\"\ntarget = \"x\"\nto = \"2001:db8::1\"\n",
     "t.toml:4: event[0]: `to` is IPv6: x needs an address6, and no LAN\n"},
    {"unknown class", HOSTS "[expect]\naudio = \"A4\"\n",
     "t.toml:5: expect.audio: there is no value 'A4' ('A0' or 'A1' or 'A2'?); there are: none, A0, "
     "A1, A2, A3\n"},
    {"several at once, in the order of lines",
     "name = \"t\"\n[relay]\nport = 0\n[host.x]\nnat = 1\n[host.y]\nskew = \"2000 ppm\"\n",
     "t.toml:3: relay.port: expected 1 to 65535, not 0\n"
     "t.toml:5: host.x.nat: expected a NAT's name, a table, or a list of them, not 1\n"
     "t.toml:7: host.y.skew: expected -1000 ppm to 1000 ppm, not 2000 ppm\n"},
};

START_TEST(refused) {
    const struct bad_case *c = &bad_cases[_i];
    char *messages = NULL;
    wzp_lab_scenario *s = parse(c->text, NULL, &messages);
    ck_assert_msg(s == NULL && messages != NULL, "%s: accepted", c->name);
    ck_assert_msg(strcmp(messages, c->want) == 0, "%s:\n%s", c->name, messages);
    free(messages);
}
END_TEST

/* --- what is accepted ------------------------------------------------------------------------- */

START_TEST(defaults_are_the_baseline) {
    wzp_lab_scenario *s = good(HOSTS);
    ck_assert_uint_eq(s->duration, 60 * WZP_S);
    ck_assert_uint_eq(s->core_delay, 10 * WZP_MS);
    ck_assert_uint_eq(s->relay_count, 1);
    ck_assert_uint_eq(s->relays[0].delay, 5 * WZP_MS);
    ck_assert_uint_eq(s->relays[0].port, 4433);
    const wzp_lab_way *way = &s->hosts[0].ways[0];
    ck_assert_uint_eq(way->links[0].rate.bits_per_s, 10000000);
    ck_assert_uint_eq(way->links[1].rate.bits_per_s, 50000000);
    ck_assert_uint_eq(way->links[0].delay.base, 10 * WZP_MS);
    ck_assert_uint_eq(way->links[1].queue.limit_ns, 100 * WZP_MS);
    ck_assert_uint_eq(way->box_count, 0);
    ck_assert(wzp_addr_equal(&way->address, &(wzp_addr){WZP_ADDR_V4, 0, {203, 0, 113, 5}}));
    ck_assert(wzp_addr_equal(&way->local, &way->address));
    ck_assert(wzp_addr_equal(&s->hosts[1].ways[0].address,
                             &(wzp_addr){WZP_ADDR_V4, 0, {198, 51, 100, 9}}));
    ck_assert_uint_eq(s->call_count, 1);
    ck_assert_uint_eq(s->calls[0].member_count, 2);
    ck_assert_uint_eq(s->calls[0].codec, WZP_CODEC_OPUS_24K);
    ck_assert_uint_eq(s->calls[0].end, s->duration);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(links_overlay_each_other) {
    wzp_lab_scenario *s =
        good("name = \"t\"\n"
             "access = {loss = \"1 %\", delay = \"15 ms\"}\n"
             "[host.x]\n"
             "access = {preset = \"lte\", loss = \"2 %\", up = {loss = \"3 %\"}}\n"
             "[host.y]\n");
    wzp_sim_link_cfg up;
    ck_assert(wzp_sim_link_preset("lte", true, &up));
    const wzp_lab_way *x = &s->hosts[0].ways[0];
    ck_assert_uint_eq(x->links[0].loss.p, 30000);
    ck_assert_uint_eq(x->links[1].loss.p, 20000);
    ck_assert_uint_eq(x->links[0].rate.bits_per_s, up.rate.bits_per_s);
    const wzp_lab_way *y = &s->hosts[1].ways[0];
    ck_assert_uint_eq(y->links[0].loss.p, 10000);
    ck_assert_uint_eq(y->links[0].delay.base, 15 * WZP_MS);
    ck_assert_uint_eq(y->links[0].rate.bits_per_s, 10000000);
    wzp_lab_scenario_free(&s);
}
END_TEST

static void is_ip(const wzp_addr *a, uint8_t b0, uint8_t b1, uint8_t b2, uint8_t b3) {
    const wzp_addr want = wzp_addr_v4(b0, b1, b2, b3, 0);
    char text[WZP_ADDR_TEXT_MAX];
    ck_assert_msg(wzp_addr_same_ip(a, &want), "got %s", wzp_addr_text(a, text));
}

START_TEST(chains_are_numbered_from_outside) {
    wzp_lab_scenario *s =
        good("name = \"t\"\n[host.x]\nnat = \"double-easy\"\n[host.y]\nnat = \"fw\"\n");
    const wzp_lab_way *x = &s->hosts[0].ways[0];
    ck_assert_uint_eq(x->box_count, 2);
    is_ip(&x->boxes[1].externals[0], 203, 0, 113, 5);
    is_ip(&x->boxes[1].inside, 100, 64, 1, 1);
    is_ip(&x->boxes[0].externals[0], 100, 64, 1, 2);
    is_ip(&x->boxes[0].inside, 192, 168, 1, 1);
    is_ip(&x->local, 192, 168, 1, 10);
    const wzp_lab_way *y = &s->hosts[1].ways[0];
    is_ip(&y->local, 198, 51, 100, 9); /* a firewall translates nothing */
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(lans_have_members_and_nest) {
    wzp_lab_scenario *s =
        good("name = \"t\"\n"
             "[lan.cgn]\nnat = \"cgn-rfc\"\naddress = \"203.0.113.77\"\n"
             "[lan.home]\nnat = \"linux-masq\"\nlan = \"cgn\"\n"
             "[host.x]\nlan = \"home\"\n[host.y]\nlan = \"home\"\n"
             "[host.z]\nlan = \"cgn\"\nnat = \"linux-masq\"\nlocal = \"10.0.0.7\"\n");
    is_ip(&s->lans[0].way.local, 100, 100, 1, 0);
    is_ip(&s->lans[0].way.boxes[0].externals[0], 203, 0, 113, 77);
    is_ip(&s->lans[1].way.boxes[0].externals[0], 100, 100, 1, 10);
    is_ip(&s->hosts[0].ways[0].local, 192, 168, 2, 10);
    is_ip(&s->hosts[1].ways[0].local, 192, 168, 2, 11);
    is_ip(&s->hosts[2].ways[0].boxes[0].externals[0], 100, 100, 1, 11);
    is_ip(&s->hosts[2].ways[0].boxes[0].inside, 10, 0, 0, 1);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(hosts_come_in_numbers) {
    wzp_lab_scenario *s = good("name = \"t\"\n[host.m]\ncount = 3\naddress = \"203.0.113.250\"\n"
                               "nat = \"fullcone\"\n");
    ck_assert_uint_eq(s->host_count, 3);
    ck_assert_str_eq(s->hosts[2].name, "m3");
    is_ip(&s->hosts[2].ways[0].address, 203, 0, 113, 252);
    ck_assert_uint_eq(s->calls[0].member_count, 3);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(expectations_are_by_listener) {
    wzp_lab_scenario *s = good(HOSTS "[host.z]\n"
                                     "[[call]]\nname = \"a\"\nfrom = \"x\"\nto = \"y\"\n"
                                     "[[call]]\nname = \"b\"\nfrom = \"y\"\nto = [\"z\", \"x\"]\n"
                                     "expect = {path = \"none\"}\n"
                                     "[expect]\npath = \"relay\"\naudio = \"A0\"\n"
                                     "[expect.host.y]\nevent_gap = \"5300 ms\"\naudio = \"A2\"\n");
    ck_assert_uint_eq(s->call_count, 2);
    const wzp_lab_call *a = &s->calls[0];
    ck_assert_uint_eq(a->expect[0].path, WZP_LAB_PATH_RELAY);
    ck_assert_uint_eq(a->expect[0].audio, 1 + WZP_SIM_CLASS_A0);
    ck_assert_uint_eq(a->expect[0].event_gap, 0);
    ck_assert_uint_eq(a->expect[1].audio, 1 + WZP_SIM_CLASS_A2);
    ck_assert_uint_eq(a->expect[1].event_gap, 5300 * WZP_MS);
    const wzp_lab_call *b = &s->calls[1];
    ck_assert_uint_eq(b->member_count, 3);
    ck_assert_uint_eq(b->members[0], 1);
    ck_assert_uint_eq(b->expect[2].path, WZP_LAB_PATH_NONE);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(events_are_in_order_and_set_builds_on_set) {
    wzp_lab_scenario *s =
        good(HOSTS "[[event]]\nat = \"40 s\"\ndo = \"set\"\ntarget = \"x.access.up\"\n"
                   "link = {loss = \"1 %\"}\n"
                   "[[event]]\nat = \"20 s\"\ndo = \"set\"\ntarget = \"x.access\"\n"
                   "link = {rate = \"48 kbit/s\"}\n");
    ck_assert_uint_eq(s->events[0].at, 20 * WZP_S);
    ck_assert_uint_eq(s->events[0].target.directions, 3);
    ck_assert_uint_eq(s->events[0].links[1].rate.bits_per_s, 48000);
    ck_assert_uint_eq(s->events[1].target.directions, 1);
    ck_assert_uint_eq(s->events[1].links[0].rate.bits_per_s, 48000);
    ck_assert_uint_eq(s->events[1].links[0].loss.p, 10000);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(targets_are_found) {
    wzp_lab_scenario *s =
        good("name = \"t\"\n"
             "[lan.home]\nnat = \"pf\"\n"
             "[host.x]\nnat = \"double-easy\"\n"
             "way = {lte = {nat = \"cgn-hard\"}}\n[host.y]\nlan = \"home\"\n"
             "[core]\nx-relay = {delay = \"20 ms\"}\n"
             "[[event]]\nat = \"1 s\"\ndo = \"flush\"\ntarget = \"x.nat\"\n"
             "[[event]]\nat = \"2 s\"\ndo = \"flush\"\ntarget = \"x.nat1\"\n"
             "[[event]]\nat = \"3 s\"\ndo = \"flush\"\ntarget = \"x.lte.nat\"\n"
             "[[event]]\nat = \"4 s\"\ndo = \"flush\"\ntarget = \"home.nat\"\n"
             "[[event]]\nat = \"5 s\"\ndo = \"cut\"\nfor = \"1 s\"\n"
             "target = \"core.x-relay.back\"\n"
             "[[event]]\nat = \"6 s\"\ndo = \"if-switch\"\ntarget = \"x\"\n"
             "to = \"lte\"\ngap = \"800 ms\"\n"
             "[[event]]\nat = \"7 s\"\ndo = \"kill-relay\"\ntarget = \"relay\"\n");
    const wzp_lab_event *e = s->events;
    ck_assert(e[0].target.kind == WZP_LAB_TARGET_BOX && e[0].target.box == 1);
    ck_assert(e[1].target.kind == WZP_LAB_TARGET_BOX && e[1].target.box == 0);
    ck_assert(e[2].target.kind == WZP_LAB_TARGET_BOX && e[2].target.way == 1);
    ck_assert(e[3].target.kind == WZP_LAB_TARGET_BOX && e[3].target.of_lan);
    ck_assert(e[4].target.kind == WZP_LAB_TARGET_CORE && e[4].target.directions == 2);
    ck_assert(e[5].target.kind == WZP_LAB_TARGET_HOST && e[5].to_way == 1);
    ck_assert(e[6].target.kind == WZP_LAB_TARGET_RELAY);
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(nat64_hosts_have_ipv6) {
    wzp_lab_scenario *s =
        good("name = \"t\"\n[host.x]\nnat = {preset = \"nat64\", replied = \"60 s\"}\n"
             "[host.y]\nnat = \"nat64\"\nclat = true\naddress6 = \"2001:db8:7::9\"\n");
    const wzp_lab_way *x = &s->hosts[0].ways[0];
    const wzp_lab_way *y = &s->hosts[1].ways[0];
    char text[WZP_ADDR_TEXT_MAX];
    ck_assert(x->boxes[0].nat64 && x->boxes[0].nat.t_replied == 60 * WZP_S);
    ck_assert_int_eq(x->local.family, WZP_ADDR_NONE);
    ck_assert_str_eq(wzp_addr_text(&x->address6, text), "[2001:db8:64:1::10]:0");
    is_ip(&x->boxes[0].externals[0], 203, 0, 113, 5);
    is_ip(&y->local, 192, 0, 0, 4);
    ck_assert_str_eq(wzp_addr_text(&y->boxes[0].inside6, text), "[2001:db8:7::64]:0");
    wzp_lab_scenario_free(&s);
}
END_TEST

START_TEST(media_need_their_engine) {
    static wzp_lab_errors errors;
    wzp_lab_scenario *s = good("name = \"t\"\n[host.x]\naccess = {medium = \"wifi\"}\n[host.y]\n"
                               "[host.y.way.lte]\n[host.y.way.lte.access]\nmedium = \"lte\"\n");
    ck_assert(wzp_lab_scenario_fits(s, "ns3", &errors));
    ck_assert_uint_eq(errors.count, 0);
    ck_assert(!wzp_lab_scenario_fits(s, "native", &errors));
    ck_assert_uint_eq(errors.count, 2);
    ck_assert_str_eq(errors.list[0].text,
                     "t.toml:3: host.x.access.medium: the native engine has no medium \"wifi\"; "
                     "--engine ns3 has");
    ck_assert_uint_eq(errors.list[1].line, 7);
    wzp_lab_scenario_free(&s);
}
END_TEST

/* --- seeds ------------------------------------------------------------------------------------ */

START_TEST(ranges_are_drawn_by_seed) {
    static const char text[] =
        "name = \"t\"\naccess = {delay = \"10..50 ms\", loss = \"0..10 %\"}\n"
        "[host.x]\nnat = {any_of = [\"pf\", \"fw\", \"symseq\"]}\n[host.y]\n";
    unsigned differ = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        wzp_lab_scenario *a = seeded(text, seed);
        wzp_lab_scenario *b = seeded(text, seed);
        wzp_lab_scenario *c = seeded(text, seed + 1);
        const uint64_t delay = a->access[0].delay.base;
        ck_assert(delay >= 10 * WZP_MS && delay <= 50 * WZP_MS && a->access[0].loss.p <= 100000);
        ck_assert_uint_eq(delay % (10 * WZP_US), 0);
        ck_assert_uint_eq(delay, b->access[0].delay.base);
        ck_assert_uint_eq(delay, a->access[1].delay.base); /* one draw for both directions */
        ck_assert_str_eq(a->hosts[0].ways[0].boxes[0].nat.name,
                         b->hosts[0].ways[0].boxes[0].nat.name);
        differ += delay != c->access[0].delay.base ? 1 : 0;
        wzp_lab_scenario_free(&a);
        wzp_lab_scenario_free(&b);
        wzp_lab_scenario_free(&c);
    }
    ck_assert_uint_ge(differ, 18);
}
END_TEST

/* What was drawn is in the scenario's own document: reading that gives the same with any seed. */
START_TEST(drawn_documents_are_complete) {
    static const char text[] = "name = \"t\"\n"
                               "access = {delay = \"10..50 ms\", up = {loss = {p = \"1..5 %\"}}}\n"
                               "[host.x]\nnat = {any_of = [\"pf\", \"symseq\"]}\n[host.y]\n";
    static wzp_lab_errors errors;
    wzp_lab_scenario *a = seeded(text, 7);
    wzp_lab_scenario *b = NULL;
    const uint64_t other = 99;
    ck_assert(wzp_lab_scenario_read(&b, &a->doc, &other, &errors) == WZP_OK);
    ck_assert_uint_eq(a->access[0].delay.base, b->access[0].delay.base);
    ck_assert_uint_eq(a->access[0].loss.p, b->access[0].loss.p);
    ck_assert_str_eq(a->hosts[0].ways[0].boxes[0].nat.name, b->hosts[0].ways[0].boxes[0].nat.name);
    wzp_lab_scenario_free(&a);
    wzp_lab_scenario_free(&b);
}
END_TEST

/* --- robustness ------------------------------------------------------------------------------- */

START_TEST(every_prefix_is_read_or_refused) {
    static const char text[] =
        "name = \"t\"\naccess = {delay = \"10..50 ms\", loss = {model = \"gilbert\", p = \"1 %\", "
        "r = \"30 %\"}}\n[lan.home]\nnat = \"pf\"\n[host.x]\nlan = \"home\"\n[host.y]\n"
        "nat = [\"pf\", {preset = \"fw\", quota = 5}]\n[core]\nx-relay = {delay = \"3 ms\"}\n"
        "[[call]]\nfrom = \"x\"\nto = [\"y\"]\n[[event]]\nat = \"3 s\"\ndo = \"cut\"\n"
        "target = \"y.access.up\"\nfor = \"1 s\"\n[expect]\npath = \"relay\"\n";
    static wzp_lab_errors errors;
    char why[WZP_TOML_WHY_MAX];
    for (size_t len = 0; len <= sizeof text - 1; len++) {
        wzp_lab_doc doc = {0};
        wzp_lab_scenario *s = NULL;
        if (wzp_lab_doc_parse(&doc, wzp_bytes_of(text, len), "t.toml", why) != WZP_OK) {
            continue;
        }
        const wzp_err err = wzp_lab_scenario_read(&s, &doc, NULL, &errors);
        ck_assert((err == WZP_OK) == (s != NULL));
        ck_assert((err == WZP_OK) == (errors.count == 0));
        wzp_lab_scenario_free(&s);
        wzp_lab_doc_clear(&doc);
    }
}
END_TEST

static wzp_lab_scenario *load(const char *path) {
    static wzp_lab_errors errors;
    char why[WZP_TOML_WHY_MAX];
    wzp_lab_doc doc = {0};
    wzp_lab_scenario *s = NULL;
    ck_assert_msg(wzp_lab_doc_load(&doc, path, why) == WZP_OK, "%s", why);
    if (wzp_lab_scenario_read(&s, &doc, NULL, &errors) != WZP_OK) {
        wzp_lab_errors_write(&errors, stderr);
    }
    ck_assert_msg(s != NULL, "%s was refused", path);
    wzp_lab_doc_clear(&doc);
    return s;
}

START_TEST(every_key_is_accepted) {
    wzp_lab_scenario *s = load(WZP_SOURCE_DIR "/fuzz/corpus/scenario/everything.toml");
    ck_assert_uint_eq(s->host_count, 6);
    ck_assert_uint_eq(s->lan_count, 2);
    ck_assert_uint_eq(s->relay_count, 2);
    ck_assert_uint_eq(s->event_count, 6);
    wzp_lab_scenario_free(&s);
}
END_TEST

/* --- policies ----------------------------------------------------------------------------------
 */

static const struct policy_case {
    const char *name, *text;
    wzp_lab_policy x, y;
    uint64_t setup_ms[2];
    uint32_t path;
} policy_cases[] = {
    {"reference",
     HOSTS,
     WZP_LAB_POLICY_REFERENCE,
     WZP_LAB_POLICY_REFERENCE,
     {500, 700},
     WZP_LAB_PATH_DIRECT},
    {"deployed",
     "policy = \"deployed\"\n" HOSTS,
     WZP_LAB_POLICY_DEPLOYED,
     WZP_LAB_POLICY_DEPLOYED,
     {2000, 3000},
     WZP_LAB_PATH_RELAY},
    {"one is",
     HOSTS "client = {policy = \"deployed\"}\n",
     WZP_LAB_POLICY_REFERENCE,
     WZP_LAB_POLICY_DEPLOYED,
     {500, 700},
     WZP_LAB_PATH_DIRECT},
};

START_TEST(policies) {
    static const char expect[] =
        "[expect]\npath = \"direct\"\nsetup = \"500 ms\"\n[expect.host.y]\nsetup = \"700 ms\"\n"
        "[expect.deployed]\npath = \"relay\"\nsetup = \"2 s\"\n"
        "[expect.deployed.host.y]\nsetup = \"3 s\"\n";
    const struct policy_case *c = &policy_cases[_i];
    char text[1024];
    (void)snprintf(text, sizeof text, "%s%s", c->text, expect);
    wzp_lab_scenario *s = good(text);
    ck_assert_msg(s->hosts[0].client.policy == (uint32_t)c->x, "%s: x", c->name);
    ck_assert_msg(s->hosts[1].client.policy == (uint32_t)c->y, "%s: y", c->name);
    for (size_t m = 0; m < 2; m++) {
        const wzp_lab_expect *e = &s->calls[0].expect[m];
        ck_assert_msg(e->setup == c->setup_ms[m] * WZP_MS && e->path == c->path, "%s: member %zu",
                      c->name, m);
    }
    wzp_lab_scenario_free(&s);
}
END_TEST

/* --- schema ----------------------------------------------------------------------------------- */

/* WZP_UPDATE=1 in the environment writes it anew. */
START_TEST(the_schema_is_current) {
    static const char path[] = WZP_SOURCE_DIR "/docs/schema/scenario.schema.json";
    static char saved[256 * 1024];
    char *text = NULL;
    size_t len = 0;
    size_t saved_len = 0;
    FILE *out = open_memstream(&text, &len);
    ck_assert(wzp_lab_schema_write(out));
    ck_assert_int_eq(fclose(out), 0);
    if (wzp_io_env("WZP_UPDATE") != NULL) {
        ck_assert(wzp_io_write_atomic(path, wzp_bytes_of(text, len), 0644) == WZP_OK);
    }
    ck_assert(wzp_io_read_file(path, saved, sizeof saved, &saved_len));
    ck_assert_msg(strcmp(text, saved) == 0, "%s is old: run this with WZP_UPDATE=1", path);
    free(text);
}
END_TEST

START_TEST(payloads_of_a_file) {
    char folder[] = "/tmp/wzp-payloads-XXXXXX";
    char file[64];
    char text[256];
    char *messages = NULL;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(file, sizeof file, "%s/said.txt", folder);
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    (void)fputs("# two\n48aa\n48bb\n", out);
    ck_assert_int_eq(fclose(out), 0);

    (void)snprintf(text, sizeof text, HOSTS "[call]\npayloads = \"%s\"\n", file);
    wzp_lab_scenario *s = good(text);
    ck_assert_uint_eq(wzp_sim_payloads_count(s->calls[0].payloads), 2);
    wzp_lab_scenario_free(&s);

    (void)snprintf(text, sizeof text, HOSTS "[call]\npayloads = \"%s\"\ncodec = \"Opus6k\"\n",
                   file);
    ck_assert_ptr_null(parse(text, NULL, &messages));
    ck_assert_str_eq(
        messages, "t.toml:4: call: the packets of `payloads` are of 20 ms, the codec's of 40 ms\n");
    free(messages);
    (void)remove(file);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

int main(void) {
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, refused, 0, (int)WZP_COUNT_OF(bad_cases));
    tcase_add_test(tc, payloads_of_a_file);
    tcase_add_test(tc, defaults_are_the_baseline);
    tcase_add_test(tc, links_overlay_each_other);
    tcase_add_test(tc, chains_are_numbered_from_outside);
    tcase_add_test(tc, lans_have_members_and_nest);
    tcase_add_test(tc, hosts_come_in_numbers);
    tcase_add_test(tc, nat64_hosts_have_ipv6);
    tcase_add_test(tc, media_need_their_engine);
    tcase_add_test(tc, expectations_are_by_listener);
    tcase_add_test(tc, events_are_in_order_and_set_builds_on_set);
    tcase_add_test(tc, targets_are_found);
    tcase_add_test(tc, ranges_are_drawn_by_seed);
    tcase_add_test(tc, drawn_documents_are_complete);
    tcase_add_test(tc, every_prefix_is_read_or_refused);
    tcase_add_test(tc, every_key_is_accepted);
    tcase_add_loop_test(tc, policies, 0, (int)WZP_COUNT_OF(policy_cases));
    tcase_add_test(tc, the_schema_is_current);
    return wzp_run_suite("scenario", tc);
}

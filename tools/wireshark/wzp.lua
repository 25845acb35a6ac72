-- Wireshark and tshark: WZP v2 inside QUIC.  Signals come through the string table quic.proto by
-- ALPN.  Datagrams come through quic.proto.datagram where Wireshark has that table; older ones
-- have none, and there a post-dissector reads the field quic.dg.  Names of fields and their values
-- are those of wzp-pcap (tools/pcap/tree/fields.h); a test compares both.
--
-- Payloads are not opened here: that takes media keys, which wzp-pcap reads.

local wzp = Proto("wzp", "WZP")
local datagrams = Proto("wzp_datagram", "WZP datagrams")

local MEDIA_TYPES = {[0] = "Audio", "Video", "Data", "Control"}
local CODECS = {
    [0] = "Opus24k", [1] = "Opus16k", [2] = "Opus6k", [3] = "Codec2_3200", [4] = "Codec2_1200",
    [5] = "ComfortNoise", [6] = "Opus32k", [7] = "Opus48k", [8] = "Opus64k",
    [9] = "H264Baseline", [11] = "H265Main", [12] = "Av1Main",
}
local HDR_LEN, REPORT_LEN, HASH_LEN = 16, 4, 8
local SIGNAL_MAX = 1048576
local NONCES_MAX = 1024 -- remembered of one sender, as wzp-pcap does

-- The texts of impl/base/err.h.
local ERRORS = {
    truncated = "input ends inside a field",
    version = "version byte is not 2",
    media_type = "media type is not in the registry",
    codec = "codec id is not in the registry",
    quality = "Q flag is set but no quality report follows",
    federation = "federation datagram is shorter than its room hash",
    too_large = "signal is longer than 1 048 576 bytes",
    json = "signal is not a known message in valid JSON",
}

local f = {
    event = ProtoField.string("wzp.event", "What"),
    role = ProtoField.string("wzp.role", "Role of the connection"),
    sni = ProtoField.string("wzp.sni", "Server name of the connection"),
    to_server = ProtoField.bool("wzp.to_server", "Towards the server"),
    shape = ProtoField.string("wzp.shape", "Form of the datagram"),
    guessed = ProtoField.bool("wzp.guessed", "Form guessed from the bytes"),
    room_hash = ProtoField.bytes("wzp.room_hash", "Room hash"),
    session_id = ProtoField.bytes("wzp.trunk.session_id", "Session of the trunk entry"),
    entry = ProtoField.uint16("wzp.trunk.entry", "Trunk entry"),
    version = ProtoField.uint8("wzp.version", "Version"),
    flags = ProtoField.uint8("wzp.flags", "Flags", base.HEX),
    repair = ProtoField.bool("wzp.flags.repair", "T: repair symbol", 8, nil, 0x80),
    quality = ProtoField.bool("wzp.flags.quality", "Q: quality report follows", 8, nil, 0x40),
    keyframe = ProtoField.bool("wzp.flags.keyframe", "K: key frame", 8, nil, 0x20),
    frame_end = ProtoField.bool("wzp.flags.frame_end", "E: frame ends", 8, nil, 0x10),
    reserved = ProtoField.uint8("wzp.flags.reserved", "Reserved bits", base.HEX, nil, 0x0f),
    media_type = ProtoField.uint8("wzp.media_type", "Media type", base.DEC, MEDIA_TYPES),
    codec = ProtoField.uint8("wzp.codec", "Codec", base.DEC, CODECS),
    stream_id = ProtoField.uint8("wzp.stream_id", "Stream"),
    fec_ratio = ProtoField.uint8("wzp.fec_ratio", "FEC ratio, percent"),
    seq = ProtoField.uint32("wzp.seq", "Sequence"),
    timestamp = ProtoField.uint32("wzp.timestamp_ms", "Timestamp, ms"),
    fec_block = ProtoField.uint16("wzp.fec_block", "FEC block"),
    fec_symbol = ProtoField.uint8("wzp.fec_symbol", "FEC symbol"),
    frag_index = ProtoField.uint8("wzp.frag.index", "Fragment"),
    frag_count = ProtoField.uint8("wzp.frag.count", "Fragments of the frame"),
    payload = ProtoField.bytes("wzp.payload", "Payload"),
    payload_length = ProtoField.uint32("wzp.payload.length", "Payload length"),
    loss = ProtoField.uint8("wzp.quality.loss", "Loss, of 255"),
    rtt = ProtoField.uint8("wzp.quality.rtt", "Round trip, 4 ms"),
    jitter = ProtoField.uint8("wzp.quality.jitter", "Jitter, ms"),
    cap = ProtoField.uint8("wzp.quality.cap", "Bitrate cap, kbit/s"),
    signal_type = ProtoField.string("wzp.signal.type", "Signal"),
    signal_stream = ProtoField.uint32("wzp.signal.stream_id", "Stream"),
    signal_length = ProtoField.uint32("wzp.signal.length", "Length of the JSON"),
    signal_json = ProtoField.string("wzp.signal.json", "JSON"),
    data = ProtoField.bytes("wzp.data", "Bytes"),
    text = ProtoField.string("wzp.text", "Text"),
    err = ProtoField.string("wzp.error", "Error"),
}
wzp.fields = f

local e = {
    malformed = ProtoExpert.new("wzp.expert.malformed", "Malformed", expert.group.MALFORMED,
        expert.severity.ERROR),
    codec = ProtoExpert.new("wzp.expert.codec", "Unknown codec", expert.group.MALFORMED,
        expert.severity.WARN),
    short = ProtoExpert.new("wzp.expert.short", "Shorter than its header",
        expert.group.MALFORMED, expert.severity.ERROR),
    reserved = ProtoExpert.new("wzp.expert.reserved", "Reserved bits are set",
        expert.group.PROTOCOL, expert.severity.NOTE),
    nonce = ProtoExpert.new("wzp.expert.nonce",
        "Another packet of this sender has this sequence: the same nonce, if they are sealed",
        expert.group.SECURITY, expert.severity.NOTE),
    guessed = ProtoExpert.new("wzp.expert.guessed", "The form was guessed from the bytes",
        expert.group.ASSUMPTION, expert.severity.CHAT),
}
wzp.experts = e

local get = {
    conn = Field.new("quic.connection.number"),
    sni = Field.new("tls.handshake.extensions_server_name"),
    hello = Field.new("tls.handshake.type"),
    datagram = Field.new("quic.dg"),
    stream = Field.new("quic.stream.stream_id"),
    offset = Field.new("quic.stream.offset"),
}

-- --- what is remembered: filled on the first pass only ---------------------------------------

local conns = {} -- by number: client, role, sni, compact[to_server], nonces, streams
local made = {} -- by frame: what mini frames stood for, notes, and signals that end in it

function wzp.init()
    conns, made = {}, {}
end

local RESERVED = {
    _signal = "signal", _federation = "federation", _relay = "federation", _probe = "probe",
    ping = "probe", version = "version",
}

local function role_of(sni)
    return RESERVED[sni] or (sni:sub(1, 10) == "call-call-" and "direct") or "room"
end

local function end_of(pinfo)
    return tostring(pinfo.src) .. " " .. tostring(pinfo.src_port)
end

-- The connection that this frame is of.
local function conn_of(pinfo)
    local number = get.conn()
    if number == nil then
        return nil
    end
    local conn = conns[number.value]
    if conn == nil then
        conn = {client = end_of(pinfo), role = "unknown", compact = {}, nonces = {},
            streams = {}}
        conns[number.value] = conn
    end
    return conn
end

-- The hello names the room; without a name it is the default one.
local function learn(pinfo)
    local kind = get.hello()
    if pinfo.visited or kind == nil or kind.value ~= 1 then
        return
    end
    local conn, sni = conn_of(pinfo), get.sni()
    if conn ~= nil and conn.sni == nil then
        conn.sni = sni and sni.value or ""
        conn.role = role_of(conn.sni)
        conn.client = end_of(pinfo)
    end
end

local function to_server(conn, pinfo)
    return end_of(pinfo) == conn.client or
        (conn.server ~= nil and end_of(pinfo) ~= conn.server)
end

local function add_conn(tree, conn, pinfo)
    tree:add(f.role, conn.role):set_generated()
    if conn.sni ~= nil then
        tree:add(f.sni, conn.sni):set_generated()
    end
    tree:add(f.to_server, to_server(conn, pinfo)):set_generated()
end

-- --- media ------------------------------------------------------------------------------------

-- nil, or why these bytes are no media packet: the order of wire sheet 5.3.
local function refusal(range)
    if range:len() < HDR_LEN then
        return "truncated"
    end
    if range(0, 1):uint() ~= 2 then
        return "version"
    end
    if range(2, 1):uint() > 3 then
        return "media_type"
    end
    if CODECS[range(3, 1):uint()] == nil then
        return "codec"
    end
    if bit.band(range(1, 1):uint(), 0x40) ~= 0 and range:len() < HDR_LEN + REPORT_LEN then
        return "quality"
    end
    return nil
end

local function add_flags(tree, range)
    local flags = tree:add(f.flags, range)
    for _, name in ipairs({"repair", "quality", "keyframe", "frame_end", "reserved"}) do
        flags:add(f[name], range)
    end
    if bit.band(range:uint(), 0x0f) ~= 0 then
        flags:add_proto_expert_info(e.reserved)
    end
end

local function add_word(tree, media_type, range)
    if media_type == 1 then
        tree:add(f.frag_index, range(0, 1))
        tree:add(f.frag_count, range(1, 1))
    elseif media_type == 0 then
        tree:add(f.fec_symbol, range(0, 1))
        tree:add(f.fec_block, range(1, 1))
    else
        tree:add(f.fec_block, range)
    end
end

local function add_payload(tree, range)
    if range ~= nil then
        tree:add(f.payload, range)
    end
    tree:add(f.payload_length, range and range:len() or 0):set_generated()
end

local function add_report(tree, range)
    tree:add(f.loss, range(0, 1))
    tree:add(f.rtt, range(1, 1))
    tree:add(f.jitter, range(2, 1))
    tree:add(f.cap, range(3, 1))
end

-- Notes that need to know what came before; index counts the packets of a frame.
local function note(pinfo, conn, index, range)
    local notes = made[pinfo.number]
    if notes == nil then
        notes = {}
        made[pinfo.number] = notes
    end
    if not pinfo.visited then
        local seq = range(6, 4):uint()
        local way = to_server(conn, pinfo) and 1 or 0
        local place = (seq % NONCES_MAX) * 2 + way
        local hdr = tostring(range(0, HDR_LEN):bytes())
        local before = conn.nonces[place]
        notes[index] = before ~= nil and before.seq == seq and before.hdr ~= hdr
        conn.nonces[place] = {seq = seq, hdr = hdr}
    end
    return notes[index]
end

-- A checked packet; returns a few words about it.
local function add_media(tree, range, pinfo, conn, index)
    local flags, media_type = range(1, 1):uint(), range(2, 1):uint()
    local tail = bit.band(flags, 0x40) ~= 0 and REPORT_LEN or 0
    local payload = range:len() - HDR_LEN - tail
    tree:add(f.version, range(0, 1))
    add_flags(tree, range(1, 1))
    tree:add(f.media_type, range(2, 1))
    tree:add(f.codec, range(3, 1))
    tree:add(f.stream_id, range(4, 1))
    tree:add(f.fec_ratio, range(5, 1))
    tree:add(f.seq, range(6, 4))
    tree:add(f.timestamp, range(10, 4))
    add_word(tree, media_type, range(14, 2))
    add_payload(tree, payload > 0 and range(HDR_LEN, payload) or nil)
    if tail > 0 then
        add_report(tree, range(HDR_LEN + payload, REPORT_LEN))
    end
    if note(pinfo, conn, index, range) then
        tree:add_proto_expert_info(e.nonce)
    end
    local words = string.format("%s %s seq=%u ts=%u", MEDIA_TYPES[media_type]:lower(),
        CODECS[range(3, 1):uint()], range(6, 4):uint(), range(10, 4):uint())
    tree:append_text(": " .. words)
    return words
end

local function add_shape(tree, shape, guessed)
    tree:add(f.shape, shape):set_generated()
    if guessed then
        tree:add(f.guessed, true):set_generated()
        tree:add_proto_expert_info(e.guessed)
    end
end

local function add_bad(tree, range, why)
    tree:add(f.event, "bad datagram"):set_generated()
    if range ~= nil then
        tree:add(f.data, range)
    end
    tree:add(f.err, ERRORS[why]):set_generated()
    tree:add_proto_expert_info(why == "codec" and e.codec or why == "truncated" and e.short or
        e.malformed)
    tree:append_text(": no media packet")
    return "bad datagram"
end

-- Header fields of a mini frame, made from those of the frame before it.
local function add_mini(tree, range, pinfo, conn, index)
    local way = to_server(conn, pinfo)
    local key = "mini " .. index
    made[pinfo.number] = made[pinfo.number] or {}
    if not pinfo.visited then
        local last = conn.compact[way]
        made[pinfo.number][key] = last and {
            bytes = last.bytes,
            seq = (last.seq + range(1, 1):uint()) % 4294967296,
            timestamp = (last.timestamp + range(2, 2):uint()) % 4294967296,
        }
        conn.compact[way] = made[pinfo.number][key]
    end
    local hdr = made[pinfo.number][key]
    if hdr == nil then
        return nil
    end
    local at = function(i)
        return hdr.bytes:get_index(i)
    end
    tree:add(f.event, "media"):set_generated()
    add_shape(tree, "mini", true)
    tree:add(f.version, at(0)):set_generated()
    local flags = tree:add(f.flags, at(1)):set_generated()
    for _, name in ipairs({"repair", "quality", "keyframe", "frame_end", "reserved"}) do
        flags:add(f[name], at(1)):set_generated()
    end
    tree:add(f.media_type, at(2)):set_generated()
    tree:add(f.codec, at(3)):set_generated()
    tree:add(f.stream_id, at(4)):set_generated()
    tree:add(f.fec_ratio, at(5)):set_generated()
    tree:add(f.seq, hdr.seq):set_generated()
    tree:add(f.timestamp, hdr.timestamp):set_generated()
    if at(2) == 1 then
        tree:add(f.frag_index, at(14)):set_generated()
        tree:add(f.frag_count, at(15)):set_generated()
    elseif at(2) == 0 then
        tree:add(f.fec_symbol, at(14)):set_generated()
        tree:add(f.fec_block, at(15)):set_generated()
    else
        tree:add(f.fec_block, at(14) * 256 + at(15)):set_generated()
    end
    local len = range(4, 2):uint()
    add_payload(tree, len > 0 and range(6, len) or nil)
    tree:append_text(string.format(": mini seq=%u ts=%u", hdr.seq, hdr.timestamp))
    return "mini seq=" .. hdr.seq
end

-- The entries, if they fill the datagram exactly and the first one looks like a packet.
local function trunk_entries(range)
    local entries = {}
    if range:len() < 2 then
        return nil
    end
    local count, at = range(0, 2):uint(), 2
    for _ = 1, count do
        if range:len() - at < 4 then
            return nil
        end
        local len = range(at + 2, 2):uint()
        if range:len() - at - 4 < len then
            return nil
        end
        entries[#entries + 1] = {at = at, len = len}
        at = at + 4 + len
    end
    if count == 0 or at ~= range:len() or entries[1].len < HDR_LEN or
        range(entries[1].at + 4, 1):uint() ~= 2 then
        return nil
    end
    return entries
end

-- --- datagrams --------------------------------------------------------------------------------

local function subtree(tree, range, conn, pinfo)
    local sub = range ~= nil and tree:add(wzp, range) or tree:add(wzp)
    add_conn(sub, conn, pinfo)
    return sub
end

local function take_plain(tree, range, pinfo, conn, index, shape, guessed)
    local sub = subtree(tree, range, conn, pinfo)
    sub:add(f.event, "media"):set_generated()
    add_shape(sub, shape, guessed)
    return add_media(sub, range, pinfo, conn, index)
end

local function take_federation(tree, range, pinfo, conn, index, guessed)
    local sub = subtree(tree, range, conn, pinfo)
    sub:add(f.event, "media"):set_generated()
    add_shape(sub, "federation", guessed)
    sub:add(f.room_hash, range(0, HASH_LEN))
    return add_media(sub, range(HASH_LEN), pinfo, conn, index)
end

local function take_trunk(tree, range, pinfo, conn, index, entries)
    local words
    for i, entry in ipairs(entries) do
        local all = range(entry.at, 4 + entry.len)
        local sub = subtree(tree, all, conn, pinfo)
        local packet = entry.len > 0 and all(4) or nil
        local why = packet == nil and "truncated" or refusal(packet)
        if why ~= nil then
            words = add_bad(sub, packet, why)
        else
            sub:add(f.event, "media"):set_generated()
            add_shape(sub, "trunk", true)
            sub:add(f.session_id, all(0, 2))
            sub:add(f.entry, i - 1):set_generated()
            words = add_media(sub, packet, pinfo, conn, index .. "." .. i)
        end
    end
    return words
end

local function remember_full(pinfo, conn, range)
    if not pinfo.visited then
        conn.compact[to_server(conn, pinfo)] = {
            bytes = range(0, HDR_LEN):bytes(),
            seq = range(6, 4):uint(),
            timestamp = range(10, 4):uint(),
        }
    end
end

-- nil: it is neither FULL nor MINI.
local function take_compact(tree, range, pinfo, conn, index)
    local tag = range(0, 1):uint()
    if tag == 0 and range:len() > HDR_LEN and refusal(range(1)) == nil then
        remember_full(pinfo, conn, range(1))
        return take_plain(tree, range(1), pinfo, conn, index, "full", true)
    end
    if tag ~= 1 or range:len() < 6 or range(4, 2):uint() > range:len() - 6 or
        (not pinfo.visited and conn.compact[to_server(conn, pinfo)] == nil) or
        (pinfo.visited and (made[pinfo.number] or {})["mini " .. index] == nil) then
        return nil
    end
    return add_mini(subtree(tree, range, conn, pinfo), range, pinfo, conn, index)
end

local NO_BYTES = "truncated"

-- The order of tools/pcap/decode/media.c.  `range` is nil for an empty datagram.
local function take_datagram(tree, range, pinfo, conn, index)
    if range == nil then
        return add_bad(subtree(tree, nil, conn, pinfo), nil, NO_BYTES)
    end
    if conn.role == "federation" then
        local why = range:len() < 12 and "federation" or refusal(range(HASH_LEN))
        if range:len() < HASH_LEN + 4 or why ~= nil then
            return add_bad(subtree(tree, range, conn, pinfo), range, why)
        end
        return take_federation(tree, range, pinfo, conn, index, false)
    end
    local why = refusal(range)
    if why == nil then
        local usual = conn.role == "room" or conn.role == "direct"
        return take_plain(tree, range, pinfo, conn, index, "plain", not usual)
    end
    local entries = trunk_entries(range)
    if entries ~= nil then
        return take_trunk(tree, range, pinfo, conn, index, entries)
    end
    local words = take_compact(tree, range, pinfo, conn, index)
    if words ~= nil then
        return words
    end
    if conn.role == "unknown" and range:len() >= 12 and refusal(range(HASH_LEN)) == nil then
        return take_federation(tree, range, pinfo, conn, index, true)
    end
    return add_bad(subtree(tree, range, conn, pinfo), range, why)
end

-- --- signals ----------------------------------------------------------------------------------

-- The name of the variant: {"Name":... or "Name".
local function signal_name(json)
    return json:match('^%s*{%s*"([%w_]+)"%s*:') or json:match('^%s*"([%w_]+)"%s*$')
end

local function add_signal(tree, tvb)
    local len = tvb(0, 4):uint()
    tree:add(f.event, "signal"):set_generated()
    tree:add(f.signal_length, tvb(0, 4))
    if len > SIGNAL_MAX or len == 0 then
        tree:add(f.err, len == 0 and ERRORS.json or ERRORS.too_large):set_generated()
        tree:add_proto_expert_info(e.malformed)
        return nil
    end
    local json = tvb(4, len):raw()
    local name = signal_name(json)
    if name ~= nil then
        tree:add(f.signal_type, tvb(4, len), name)
        tree:append_text(": " .. name)
    else
        tree:add(f.err, ERRORS.json):set_generated()
        tree:add_proto_expert_info(e.malformed)
    end
    tree:add(f.signal_json, tvb(4, len), json)
    return name
end

-- One-way streams carry text: the answer to the server name "version".
local function take_text(tvb, tree, conn, pinfo)
    local sub = tree:add(wzp, tvb())
    add_conn(sub, conn, pinfo)
    sub:add(f.event, "text"):set_generated()
    sub:add(f.text, tvb(), tvb():string())
    return tvb:len()
end

-- How long the message is that begins with these bytes, its prefix included; nil: not known yet.
local function message_len(bytes)
    if #bytes < 4 then
        return nil
    end
    local len = Struct.unpack(">I4", bytes)
    return len > SIGNAL_MAX and 4 or 4 + len
end

-- Adds a piece of a stream, wherever it belongs; returns the message once it is whole, and only
-- then.  QUIC of Wireshark 4.0 does not unite pieces for dissectors in Lua.
local function collect(conn, key, offset, bytes)
    local s = conn.streams[key]
    if s == nil then
        s = {bytes = "", waiting = {}, held = 0}
        conn.streams[key] = s
    end
    if s.done or s.held + #bytes > SIGNAL_MAX + 4 then
        return nil
    end
    s.waiting[#s.waiting + 1] = {offset = offset, bytes = bytes}
    s.held = s.held + #bytes
    local moved = true
    while moved do
        moved = false
        for i, piece in ipairs(s.waiting) do
            if piece.offset <= #s.bytes then
                s.bytes = s.bytes .. piece.bytes:sub(#s.bytes - piece.offset + 1)
                table.remove(s.waiting, i)
                moved = true
                break
            end
        end
    end
    local len = message_len(s.bytes)
    if len == nil or #s.bytes < len then
        return nil
    end
    local message = s.bytes:sub(1, len)
    conn.streams[key] = {done = true}
    return message
end

-- The stream that these bytes are of, and where they begin in it: frames of a packet are dissected
-- in their order, so it is the last one so far; an offset of 0 has no field.
local function stream_of()
    local ids, offsets = {get.stream()}, {get.offset()}
    local id, offset = ids[#ids], offsets[#offsets]
    if id == nil then
        return nil
    end
    if offset == nil or offset.offset < id.offset then
        return id.value:tonumber(), 0
    end
    return id.value:tonumber(), offset.value:tonumber()
end

-- The bytes of one STREAM frame.
function wzp.dissector(tvb, pinfo, tree)
    learn(pinfo)
    local conn = conn_of(pinfo)
    local id, offset = stream_of()
    if conn == nil or id == nil or tvb:len() == 0 then
        return tvb:len()
    end
    pinfo.cols.protocol = "WZP"
    if id % 4 >= 2 then
        return take_text(tvb, tree, conn, pinfo)
    end
    local key = id .. (to_server(conn, pinfo) and " up" or " down")
    local kept = made[pinfo.number] or {}
    local place = key .. " " .. offset
    made[pinfo.number] = kept
    if not pinfo.visited then
        kept[place] = kept[place] or collect(conn, key, offset, tvb:raw())
    end
    local message = kept[place]
    if message == nil then
        return tvb:len()
    end
    local whole = message == tvb:raw(0, math.min(#message, tvb:len()))
    local bytes = whole and tvb or ByteArray.new(message, true):tvb("Signal")
    local sub = tree:add(wzp, bytes(0, #message))
    add_conn(sub, conn, pinfo)
    sub:add(f.signal_stream, id):set_generated()
    local name = add_signal(sub, bytes)
    pinfo.cols.info:append(" " .. (name or "signal?"))
    return tvb:len()
end

DissectorTable.get("quic.proto"):add("wzp", wzp)

-- --- where datagrams come from ----------------------------------------------------------------

local has_table, datagram_table = pcall(DissectorTable.get, "quic.proto.datagram")

if has_table and datagram_table ~= nil then
    function datagrams.dissector(tvb, pinfo, tree)
        learn(pinfo)
        local conn = conn_of(pinfo)
        if conn == nil then
            return 0
        end
        local index = pinfo.curr_layer_num or 0
        local words = take_datagram(tree, tvb:len() > 0 and tvb() or nil, pinfo, conn, index)
        pinfo.cols.protocol = "WZP"
        pinfo.cols.info:append(" " .. (words or ""))
        return tvb:len()
    end
    datagram_table:add("wzp", datagrams)
else
    function datagrams.dissector(_, pinfo, tree)
        learn(pinfo)
        local list = {get.datagram()}
        local conn = #list > 0 and conn_of(pinfo) or nil
        if conn == nil then
            return
        end
        for i, datagram in ipairs(list) do
            local range = datagram.len > 0 and datagram.range or nil
            local words = take_datagram(tree, range, pinfo, conn, i)
            pinfo.cols.info:append(" " .. (words or ""))
        end
        pinfo.cols.protocol = "WZP"
    end
    register_postdissector(datagrams)
end

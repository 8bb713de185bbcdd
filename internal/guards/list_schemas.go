package main

// schemasGuards are those of the formats: what is no unambiguous event is none, and
// a result event tells of every record.
var schemasGuards = []guard{
	{name: "a name twice in one object is no event", file: "schemas/decode.go", old: "d.dec.Reset(&d.src)", new: "d.dec.Reset(&d.src, jsontext.AllowDuplicateNames(true))"},
	{name: "a text that is no UTF-8 is no event", file: "schemas/decode.go", old: "d.dec.Reset(&d.src)", new: "d.dec.Reset(&d.src, jsontext.AllowInvalidUTF8(true))"},
	{name: "no event nests too deep", file: "schemas/decode.go", old: "if jsonscan.TooDeep(value, maxDepth) {", new: "if false {"},
	{name: "brackets in a string do not nest", file: "internal/jsonscan/depth.go", old: "inString = !inString", new: "inString = false"},
	{name: "an escaped quote ends no string", file: "internal/jsonscan/depth.go", old: `case inString && b == '\\':`, new: "case false:"},
	{name: "no event is larger than the bound", file: "schemas/decode.go", old: "case d.cfg.MaxEventBytes > 0 && len(value) > d.cfg.MaxEventBytes:", new: "case false:"},
	{name: "nothing follows an event", file: "schemas/decode.go", old: "err != io.EOF {", new: "err != io.EOF && false {"},
	{name: "an empty value is no tombstone", file: "schemas/decode.go", old: "case value == nil:", new: "case len(value) == 0:"},
	{name: "a message id is not empty", file: "schemas/decode.go", old: "case len(id) == 0 && !optional:", new: "case false:"},
	{name: "an id is no longer than 255 bytes", file: "schemas/decode.go", old: "case len(id) > maxIDBytes:", new: "case false:"},
	{name: "an id is a string", file: "schemas/decode.go", old: "if v.Kind() != jsontext.KindString {", new: "if false {"},
	{name: "an event has a message id", file: "schemas/decode.go", old: "case c.MessageID == nil:", new: "case false:"},
	{name: "an event has changes", file: "schemas/decode.go", old: "case c.Patch == nil:", new: "case false:"},
	{name: "changes name no other message", file: "schemas/decode.go", old: `name == "id" || name == "_clientRef" {`, new: "false {"},
	{name: "nor under another spelling", file: "schemas/decode.go", old: "reserved(inside.Raw, inside.Name)", new: "reserved(inside.Raw, inside.Raw.Of(c.Record.Value)[1:])"},
	{name: "nor in what is plain", file: "schemas/decode.go", old: "reserved(inside[0].Name, unquoted(value, inside[0].Name))", new: "reserved(inside[0].Name, nil)"},
	{name: "a time is a time", file: "schemas/decode.go", old: "if c.OccurredAt.UnmarshalText(jsonscan.Unquote(v)) == nil {", new: "if c.OccurredAt.UnmarshalText(jsonscan.Unquote(v)) == nil || true {"},
	{name: "a rejected event leaves nothing behind", file: "schemas/decode.go", old: "f.reason(value)\n\t\tc.MessageID, c.EventID, c.Patch, c.OccurredAt = nil, nil, nil, time.Time{}\n", new: "f.reason(value)\n"},
	{name: "an event knows nothing of the one before", file: "schemas/decode.go", old: "batcher.Reason{}\n\tc.MessageID, c.EventID, c.Patch, c.OccurredAt = nil, nil, nil, time.Time{}\n", new: "batcher.Reason{}\n"},
	{name: "a reason does not quote the event", file: "schemas/reasons.go", old: `text := "the value is not valid JSON"`, new: "text := f.err.Error()"},
	{name: "a wrong time is not quoted", file: "schemas/decode.go", old: "`\"occurredAt\" is not an RFC 3339 time such as 2026-11-24T02:30:00.123Z`, at)", new: "`\"occurredAt\" is `+string(v), at)"},

	// Result events.
	{name: "a part is no larger than the bound", file: "schemas/result.go", old: "if size+n <= limit || j == 0 && i == start {", new: "if true {"},
	{name: "long ids are split once more", file: "schemas/result.go", old: "fit(out, limit) || perByte > 1 {", new: "true {"},
	{name: "an item in two parts is in both", file: "schemas/result.go", old: "part = append(part, begun)", new: "_ = begun"},
	{name: "a split item keeps the rest of its records", file: "schemas/result.go", old: "\t\t\ti-- // what is left of the item begins the next part\n", new: ""},
	{name: "events share no bytes", file: "schemas/result.go", old: "bytes.Clone(*buf)", new: "bytes.TrimSpace(*buf)"},
	{name: "a run of offsets has no holes", file: "schemas/sources.go", old: "&& r.first <= out[n].last+1 {", new: "{"},
	{name: "two tenures of a partition are one source", file: "schemas/sources.go", old: "return a.Topic == b.Topic && a.Partition == b.Partition", new: "return false"},
	{name: "a text of Avro is UTF-8", file: "schemas/append_avro.go", old: "!literal(s) && !utf8.ValidString(string(s))", new: "len(s) < 0 && !utf8.ValidString(string(s))"},
	{name: "an absent text is null in Avro", file: "schemas/append_avro.go", old: "\tif len(s) == 0 {\n\t\treturn append(dst, isNull)\n\t}\n", new: ""},
	{name: "an absent time is null in Avro", file: "schemas/append_avro.go", old: "if at.IsZero() {", new: "if false {"},
	{name: "an array of Avro without elements has no block", file: "schemas/append_avro.go", old: "if n == 0 {\n\t\treturn dst", new: "if n < 0 {\n\t\treturn dst"},
	{name: "offsets of a source are in order", file: "schemas/sources.go", old: "return cmp.Compare(a.first, b.first)", new: "return 0"},
}

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

	// Rules of an item's members.
	{name: "strict rejects what breaks a rule", file: "schemas/decode.go", old: "f == nil && d.cfg.Strict {", new: "false {"},
	{name: "only strict does", file: "schemas/decode.go", old: "f == nil && d.cfg.Strict {", new: "f == nil {"},
	{name: "no more than three violations are named", file: "schemas/reasons.go", old: "broken[:min(len(broken), maxViolations)]", new: "broken"},
	{name: "a list of violations is bounded", file: "schemas/rules/check.go", old: "len(c.found) < c.most", new: "true"},
	{name: "null only where the reference says so", file: "schemas/rules/check.go", old: "kind == Null && r.null:", new: "kind == Null:"},
	{name: "attachments differ", file: "schemas/rules/check.go", old: "len(slices.Compact(good)) < len(good)", new: "false"},
	{name: "attachments differ in content, not in spelling", file: "schemas/rules/value.go", old: "sum += h.Sum64()", new: "sum = sum*31 + h.Sum64()"},
	{name: "required members are there", file: "schemas/rules/check.go", old: "if missing&(1<<i) != 0 {", new: "if missing&(1<<i) != 0 && false {"},
	{name: "objects have a bound", file: "schemas/rules/check.go", old: "o.most > 0 && n > o.most", new: "false"},
	{name: "a suffix is not the whole name", file: "schemas/rules/rule.go", old: "len(name) > len(s.end) && ", new: ""},
	{name: "a pair of surrogates is one character", file: "schemas/rules/value.go", old: "raw[i+3] > '7'", new: "false"},
	{name: "other escapes are no pairs", file: "schemas/rules/value.go", old: "raw[i+3] > '7'", new: "true"},
	{name: "names are cut", file: "schemas/rules/check.go", old: "if end > maxName {", new: "if false {"},
	{name: "odd names are quoted", file: "schemas/rules/check.go", old: "text = strconv.Quote(text)", new: "_ = text"},
	{name: "only a plain URL goes unparsed", file: "schemas/rules/value.go", old: "\t\t\treturn false\n\t\t}\n\t}\n\treturn true", new: "\t\t\treturn true\n\t\t}\n\t}\n\treturn true"},

	// Result events.
	{name: "a part is no larger than the bound", file: "schemas/result.go", old: "if size+n <= limit || j == 0 && i == start {", new: "if true {"},
	{name: "long ids are split once more", file: "schemas/result.go", old: "fit(out, limit) || perByte > 1 {", new: "true {"},
	{name: "an item in two parts is in both", file: "schemas/result.go", old: "part = append(part, begun)", new: "_ = begun"},
	{name: "a split item keeps the rest of its records", file: "schemas/result.go", old: "\t\t\ti-- // what is left of the item begins the next part\n", new: ""},
	{name: "events share no bytes", file: "schemas/result.go", old: "bytes.Clone(*buf)", new: "bytes.TrimSpace(*buf)"},
	{name: "a run of offsets has no holes", file: "schemas/sources.go", old: "records[i].offset <= last+1; i++ {", new: "true; i++ {"},
	{name: "two tenures of a partition are one source", file: "schemas/sources.go", old: "return a.Topic == b.Topic && a.Partition == b.Partition", new: "return false"},
	{name: "offsets of a source are in order", file: "schemas/sources.go", old: "return cmp.Compare(a.offset, b.offset)", new: "return 0"},
}

package mapping

import "testing"

// BenchmarkMap is the cost of one record of some 300 bytes.
func BenchmarkMap(b *testing.B) {
	const row = `{"id":"65b0aa00c1d2e3f405161701","conversation":"65b0aa00c1d2e3f405161801","status":"sent","subject":"Re: blue kettle","custom":{"tierStr":"gold","scoreNum":12},"updatedAt":"2026-10-21T14:02:11.925Z"}`
	for _, c := range []struct {
		name, value string
		cfg         Config
	}{
		{"message-change", `{"messageId":"m","changes":` + row + `}`, Config{}},
		{"item", row, Config{Preset: Item}},
		{"debezium", `{"op":"c","after":` + row + `}`, Config{Preset: Debezium}},
		{"jq", row, Config{JQ: `{messageId: .id, changes: {conversation, status, subject, custom, updatedAt}}`}},
	} {
		b.Run(c.name, func(b *testing.B) {
			m, r := mapper(b, c.cfg), &Record{Value: []byte(c.value)}
			b.ReportAllocs()
			for b.Loop() {
				if res := m.Map(r); len(res.Events) != 1 {
					b.Fatal(res)
				}
			}
		})
	}
}

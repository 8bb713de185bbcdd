package rules

import "testing"

// typical is a patch with a member of each kind and form.
var typical = []byte(`{"subject":"Re: order 1041","status":"received","preview":"Thank you for your order,\nwe will be with you shortly",
 "sentAt":"2026-11-24T02:29:58.000Z","size":1041,"attachments":[` + aFile + `,` + another + `],"meta":{"a":[1,2,3]},"sentiment":{"polarity":1,"confidence":0.75},
 "error":{"code":"x","status":400},"createdBy":` + anID + `,"custom":{"tierStr":"gold","noteTxt":null,"scoreNum":12.5,"vipBool":true,"siteUrl":"https://example.com/a?b=c","atAt":"2026-11-24T02:29:58Z"}}`)

// A patch that breaks nothing costs no allocation: strict looks at every event.
func TestNoAllocation(t *testing.T) {
	if got := Check(typical, 1); got != nil {
		t.Fatalf("it breaks %v", got)
	}
	if n := testing.AllocsPerRun(100, func() { Breaks(typical) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkBreaks(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(typical)))
	for b.Loop() {
		if Breaks(typical) {
			b.Fatal("it breaks a rule")
		}
	}
}

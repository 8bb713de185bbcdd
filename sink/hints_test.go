package sink

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
)

// six is a batch whose items differ in their members. All texts in it are value.
func six(value string) *batcher.Batch {
	b := &batcher.Batch{ID: "c1x-9"}
	for i, patch := range []string{
		`{"subject":"VALUE","preview":"VALUE"}`,
		`{ "custom" : { "tierStr" : "VALUE", "noteTxt":null } }`,
		`{"status":"VALUE","custom":{"tierStr":"VALUE"}}`,
		`{"custom":null,"subject":null}`,
		`{"meta":{"tierStr":{"custom":{"deepStr":1}}},"custom":{"custom":{"innerStr":1},"a~b/cStr":1}}`,
		`{"attachments":[{"name":"VALUE"}],"notAnAttribute":1,"items":1,"\u0065xternalId":"VALUE"}`,
	} {
		patch = strings.ReplaceAll(patch, "VALUE", value)
		b.Items = append(b.Items, &batcher.Item{MessageID: fmt.Sprintf("64a1f0c2b7d9e30012ab100%d", i), Patch: []byte(patch)})
	}
	return b
}

func TestHints(t *testing.T) {
	pointer := func(s string) string { return `{"errors":[{"source":{"pointer":"` + s + `"},"title":"No"}]}` }
	parameter := func(s string) string { return `{"errors":[{"source":{"parameter":"` + s + `"},"title":"No"}]}` }
	parameters := func(s string) string { return `{"errors":[{"source":{"parameters":` + s + `},"title":"No"}]}` }
	message := func(s string) string { return `{"errors":[{"code":"bad_request","message":"` + s + `","meta":{}}]}` }
	meta := func(s string) string { return `{"errors":[{"code":"bad_request","message":"No","meta":` + s + `}]}` }
	flat := func(s string) string { return `{"status":"422","title":"No","detail":"` + s + `"}` }
	tests := []struct {
		name, body string
		want       []int
	}{
		// A place with an index.
		{"pointer", pointer("/3/custom/tierStr"), []int{3}},
		{"pointer in parameter", parameter("/3/custom/tierStr"), []int{3}},
		{"dotted", parameter("3.custom.tierStr"), []int{3}},
		{"in brackets", parameter("[3].custom"), []int{3}},
		{"in brackets, quoted", parameter("data[3]['custom']['tierStr']"), []int{3}},
		{"below data", pointer("/data/3/subject"), []int{3}},
		{"below data and attributes", pointer("/data/3/attributes/subject"), []int{3}},
		{"below the body", pointer("body/3/subject"), []int{3}},
		{"a fragment", pointer("#/3/subject"), []int{3}},
		{"from the root", pointer("$[3].subject"), []int{3}},
		{"the item itself", pointer("/3"), []int{3}},
		{"the first", pointer("/0/subject"), []int{0}},
		{"the last", pointer("/5/subject"), []int{5}},
		{"a member of no item", pointer("/3/nothing"), []int{3}},
		{"escaped", pointer("/3/custom/a~1b"), []int{3}},
		{"in parameters", parameters(`"/3/subject"`), []int{3}},
		{"in a list", parameters(`["/3/subject","1.custom","/0/x y",null,7,{"a":"/2/x"}]`), []int{1, 3}},
		{"in the message", message("/3/custom/tierStr"), []int{3}},
		{"in the detail of the flat form", flat("[3].custom.tierStr"), []int{3}},
		{"index in meta", meta(`{"index":3}`), []int{3}},
		{"index in meta, as text", meta(`{"index":"3"}`), []int{3}},
		{"path in meta", meta(`{"path":"3.custom.tierStr"}`), []int{3}},
		{"path in pieces", meta(`{"path":["body",3,"custom","tierStr"]}`), []int{3}},
		{"path in pieces of one item", meta(`{"path":["attachments",3,"name"]}`), nil},
		{"field in meta", meta(`{"field":"data[3].subject"}`), []int{3}},
		{"validator's path in meta", meta(`{"instancePath":"/3/subject"}`), []int{3}},
		{"meta of no use", meta(`["/3/subject",3]`), nil},
		{"member in meta", meta(`{"field":"subject","value":"/3/subject"}`), nil},
		{"index before id", `{"errors":[{"source":{"pointer":"/3/subject"},"detail":"64a1f0c2b7d9e30012ab1001"}]}`, []int{3}},

		// A place with an index that no item has.
		{"after the last", pointer("/6/subject"), nil},
		{"out of all range", pointer("/99999999999999999999999/subject"), nil},
		{"after the last, with a member", `{"errors":[{"source":{"pointer":"/6/subject","parameter":"subject"}}]}`, nil},
		{"no number of an array, with a member", `{"errors":[{"source":{"pointer":"/03/subject","parameter":"subject"}}]}`, nil},
		{"negative", pointer("/-1/subject"), nil},
		{"leading zero", pointer("/03/custom/tierStr"), nil},
		{"beyond the end", pointer("/-/subject"), nil},
		{"out of range, with an id", `{"errors":[{"source":{"pointer":"/6/subject"},"detail":"64a1f0c2b7d9e30012ab1001"}]}`, []int{1}},
		{"index inside an item", pointer("/attachments/3/name"), []int{5}},
		{"index inside custom", pointer("/custom/3"), nil},
		{"index of something else", pointer("/errors/3/subject"), nil},
		{"version", parameter("3.14"), nil},
		{"address", parameter("3.0.0.1"), nil},
		{"number in words", message("3"), nil},
		{"number with a stop", flat("3."), nil},
		{"digits of another script", pointer("/٣/subject"), nil},

		// A message's id.
		{"id in parameter", parameter("64a1f0c2b7d9e30012ab1002 is not callable"), []int{2}},
		{"id in message", message("Message 64a1f0c2b7d9e30012ab1002 was not found."), []int{2}},
		{"id in detail", flat("no such message: '64a1f0c2b7d9e30012ab1002'"), []int{2}},
		{"id in meta", meta(`{"ids":["64a1f0c2b7d9e30012ab1002","64a1f0c2b7d9e30012ab1004"]}`), []int{2, 4}},
		{"id in a path", pointer("/messages/64a1f0c2b7d9e30012ab1002/subject"), []int{2}},
		{"id before member", `{"errors":[{"source":{"parameter":"subject"},"detail":"64a1f0c2b7d9e30012ab1001"}]}`, []int{1}},
		{"part of a longer id", message("64a1f0c2b7d9e30012ab10020 and 064a1f0c2b7d9e30012ab1002, x-64a1f0c2b7d9e30012ab1002, 64a1f0c2b7d9e30012ab1002_x"), nil},
		{"part of an id", message("64a1f0c2b7d9e30012ab100"), nil},
		{"another message's", message("64a1f0c2b7d9e30012ab7001"), nil},

		// A member.
		{"bare member", parameter("subject"), []int{0, 3}},
		{"member as pointer", pointer("/subject"), []int{0, 3}},
		{"member below data", pointer("/data/attributes/subject"), []int{0, 3}},
		{"member of one", parameter("preview"), []int{0}},
		{"name written with an escape", parameter("externalId"), []int{5}},
		{"custom's, dotted", parameter("custom.tierStr"), []int{1, 2}},
		{"custom's, pointer", parameter("/custom/noteTxt"), []int{1}},
		{"custom's, escaped", pointer("/custom/a~0b~1cStr"), []int{4}},
		{"custom's, but no name of it", parameter("tierStr.length"), nil},
		{"named like the request", parameter("items"), []int{5}},
		{"custom's, bare", parameter("tierStr"), []int{1, 2}},
		{"custom itself", parameter("custom"), []int{1, 2, 3, 4}},
		{"in the schema of custom", `{"errors":[{"source":{"parameter":"noteTxt"},"detail":"/properties/custom/additionalProperties"}]}`, []int{1}},
		{"in the schema of custom, at its end", `{"errors":[{"source":{"parameter":"noteTxt"},"detail":"#/items/properties/custom"}]}`, []int{1}},
		{"of custom, though at the top too", `{"errors":[{"source":{"parameter":"notAnAttribute"},"detail":"/properties/custom/additionalProperties"}]}`, nil},
		{"of custom at the schema's end, though at the top too", `{"errors":[{"source":{"parameter":"notAnAttribute"},"detail":"#/items/properties/custom"}]}`, nil},
		{"custom as a whole", `{"errors":[{"source":{"parameter":"custom"},"detail":"/properties/custom/maxProperties"}]}`, []int{1, 2, 3, 4}},
		{"in the schema of another", `{"errors":[{"source":{"parameter":"notAnAttribute"},"detail":"/properties/customer/type"}]}`, []int{5}},
		{"not custom's of custom", parameter("innerStr"), nil},
		{"not at any depth", parameter("deepStr"), nil},
		{"a member of another object", parameter("name"), nil},
		{"a value is no member", parameter("platinum"), nil},
		{"no item has it", replies["custom"], nil},
		{"list of members", parameters(`["preview","custom.noteTxt"]`), []int{0, 1}},
		{"members of the id", parameter("id"), nil},

		// No sentence.
		{"member in a sentence", parameter("subject is too long"), nil},
		{"pointer in a sentence", parameter("/3/subject is too long"), nil},
		{"pointer in a message", message("at /3/subject: too long"), nil},
		{"member as message", message("subject"), nil},
		{"member as detail", flat("subject"), nil},
		{"index in a sentence", message("item 3 is bad"), nil},
		{"long", parameter("3" + strings.Repeat(".x", 300)), nil},

		// Several errors.
		{"union", `{"errors":[{"source":{"pointer":"/5/x"}},{"source":{"parameter":"preview"}},{"message":"64a1f0c2b7d9e30012ab1002"},{"source":{"pointer":"/5/y"}}]}`, []int{0, 2, 5}},
		{"one names nothing", `{"errors":[{"title":"Bad request"},{"source":{"pointer":"/3/x"}},null,7]}`, []int{3}},
		{"one names all", `{"errors":[{"message":"64a1f0c2b7d9e30012ab1000 64a1f0c2b7d9e30012ab1001 64a1f0c2b7d9e30012ab1002 64a1f0c2b7d9e30012ab1003 64a1f0c2b7d9e30012ab1004 64a1f0c2b7d9e30012ab1005"},{"source":{"pointer":"/3/x"}}]}`, []int{3}},
		{"together they name all", `{"errors":[{"source":{"parameters":["/0","/1","/2"]}},{"source":{"parameters":["/3","/4","/5"]}}]}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i, status := range []int{400, 404, 409, 413, 418, 422} {
				value := []string{"platinum", "subject", "/3/custom"}[i%3] // has no say
				out := newSink(t, always(status, tt.body)).Put(t.Context(), six(value), nil)
				if out.Kind != batcher.Refused {
					t.Fatalf("%d: %v", status, out.Kind)
				}
				if diff := cmp.Diff(tt.want, out.Hints); diff != "" {
					t.Errorf("%d %s (-want +got):\n%s", status, tt.body, diff)
				}
			}
		})
	}
}

// Of anything but a refusal, and of a reply whose end is missing, nothing is
// hinted; nor is it where there is one item, or the batch is not at fault.
func TestNoHints(t *testing.T) {
	const body = `{"errors":[{"source":{"pointer":"/3/subject"},"title":"No"}]}`
	for _, status := range []int{200, 302, 401, 403, 408, 429, 500} {
		if out := newSink(t, always(status, body)).Put(t.Context(), six("x"), nil); out.Hints != nil {
			t.Errorf("%d: hints %v", status, out.Hints)
		}
	}
	one := six("x")
	one.Items = one.Items[:1]
	if out := newSink(t, always(400, strings.Replace(body, "/3/", "/0/", 1))).Put(t.Context(), one, nil); out.Hints != nil {
		t.Errorf("one item: hints %v", out.Hints)
	}
	for _, place := range []string{"_clientRef", "/3/_clientRef", "data[3]._clientRef"} {
		out := newSink(t, always(400, strings.Replace(body, "/3/subject", place, 1))).Put(t.Context(), six("x"), nil)
		if out.Kind != batcher.NotSent || out.Reason.Code != CodeNoReferences || out.Hints != nil {
			t.Errorf("%s: %v, %+v, hints %v", place, out.Kind, out.Reason, out.Hints)
		}
	}
	if out := newSink(t, always(400, strings.Replace(body, "/3/subject", "/3/custom/_clientRef", 1))).Put(t.Context(), six("x"), nil); out.Kind != batcher.Refused {
		t.Errorf("a member of custom is no reference of ours: %v", out.Kind)
	}
}

// A 403 may be for audit members, at the top of the patch and nowhere else. All
// items may have them.
func TestForbiddenNamesAuditMembers(t *testing.T) {
	const roles = `{"errors":[{"status":403,"source":{"parameter":"roles"},"code":"forbidden","title":"Forbidden"}]}`
	tests := []struct {
		name    string
		patches []string
		body    string
		kind    batcher.OutcomeKind
		code    string
		want    []int
	}{
		{"each of them", []string{`{"createdAt":"x"}`, `{"a":1,"createdBy":"x"}`, `{"a":1}`, `{"modifiedAt":null}`, `{"modifiedBy":null}`}, roles, batcher.Doubtful, CodeForbidden, []int{0, 1, 3, 4}},
		{"all items", []string{`{"createdAt":"x"}`, `{"createdAt":"x","createdBy":"y"}`}, roles, batcher.Doubtful, CodeForbidden, []int{0, 1}},
		{"one item", []string{`{"createdAt":"x"}`}, "", batcher.Doubtful, CodeForbidden, []int{0}},
		{"a pointer names another", []string{`{"a":1}`, `{"createdAt":"x"}`}, `{"errors":[{"source":{"pointer":"/0/a"}}]}`, batcher.Doubtful, CodeForbidden, []int{1}},
		{"not whole", []string{`{"a":1}`, `{"createdAt":"x"}`}, "<html>", batcher.Doubtful, CodeForbidden, []int{1}},
		{"none", []string{`{"a":1}`, `{"updatedAt":"x","errorAt":"x"}`}, roles, batcher.Unauthorized, CodeForbidden, nil},
		{"deeper", []string{`{"custom":{"createdAt":1}}`, `{"meta":{"createdBy":"x"},"attachments":[{"modifiedAt":1}]}`}, roles, batcher.Unauthorized, CodeForbidden, nil},
		{"as values", []string{`{"subject":"createdAt"}`, `{"a":["modifiedBy"]}`}, roles, batcher.Unauthorized, CodeForbidden, nil},
		{"the region", []string{`{"createdAt":"x"}`, `{"a":1}`}, replies["region"], batcher.Unauthorized, CodeWrongRegion, nil},
	}
	for _, tt := range tests {
		b := &batcher.Batch{ID: "p-1"}
		for i, patch := range tt.patches {
			b.Items = append(b.Items, &batcher.Item{MessageID: fmt.Sprint("m", i), Patch: []byte(patch)})
		}
		out := newSink(t, always(403, tt.body)).Put(t.Context(), b, nil)
		if out.Kind != tt.kind || out.Reason.Code != tt.code || out.Status != 403 {
			t.Errorf("%s: %v, %+v; want %v, %s", tt.name, out.Kind, out.Reason, tt.kind, tt.code)
		}
		if diff := cmp.Diff(tt.want, out.Hints); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if out.Kind == batcher.Doubtful && !(strings.Contains(out.Reason.Text, "org.admin") && strings.Contains(out.Reason.Text, "org.permission.message.update")) {
			t.Errorf("%s: the text names not both roles: %s", tt.name, out.Reason.Text)
		}
	}
}

// A patch is an object. What is none, or breaks off, has no members, or those
// before the break.
func TestMembersOfBrokenPatches(t *testing.T) {
	for patch, want := range map[string][]member{
		"": nil, `"subject"`: nil, `["subject","x"]`: nil, `{"a":1,`: {{false, "a"}}, `{"custom":{"b":[`: {{false, "custom"}, {true, "b"}},
		`{"a":1}{"b":2}`: {{false, "a"}},
	} {
		var got []member
		eachMember([]byte(patch), func(m member) { got = append(got, m) })
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", patch, got, want)
		}
	}
}

// A reply may be as long as it likes.
func TestErrorsAreBounded(t *testing.T) {
	const one = `{"title":"No"},`
	errs := func(before int, last string) apiErrors {
		return parseErrors([]byte(`{"errors":[` + strings.Repeat(one, before) + last + `]}`))
	}
	last := `{"source":{"pointer":"/3/x"}}`
	if got := hints(six("x"), errs(maxErrors-1, last)); !cmp.Equal(got, []int{3}) {
		t.Errorf("the last error that counts: hints %v", got)
	}
	if got := hints(six("x"), errs(maxErrors, last)); got != nil {
		t.Errorf("beyond the last error that counts: hints %v", got)
	}
	list := func(before int) string {
		return `{"source":{"parameters":[` + strings.Repeat(`"x",`, before) + `"/3/x"]}}`
	}
	if got := hints(six("x"), errs(0, list(maxTexts-1))); !cmp.Equal(got, []int{3}) {
		t.Errorf("the last place that counts: hints %v", got)
	}
	if got := hints(six("x"), errs(0, list(maxTexts))); got != nil {
		t.Errorf("beyond the last place that counts: hints %v", got)
	}
	if region := `{"title":"pod of the key"}`; !errs(9, region).wrongRegion(nil) || errs(10, region).wrongRegion(nil) {
		t.Error("the region is looked for in ten errors")
	}
}

// FuzzHints: whatever the errors say and the patches are, the hints are some of
// the items, in order and not all.
func FuzzHints(f *testing.F) {
	patch := string(six("x").Items[4].Patch)
	for _, body := range replies {
		f.Add([]byte(body), patch)
	}
	for _, at := range []string{"/3/custom/tierStr", "3.custom", "[1]", "/data/~01/x", "custom.tierStr", "64a1f0c2b7d9e30012ab1002 is"} {
		f.Add(fmt.Appendf(nil, `{"errors":[{"source":{"pointer":%q,"parameter":%[1]q,"parameters":[%[1]q,1]},"meta":{"path":[3,%[1]q],"index":1}}]}`, at), `{"custom":{"tierStr":{}`)
	}
	f.Fuzz(func(t *testing.T, body []byte, patch string) {
		b, other := six("platinum"), six("subject")
		b.Items[4].Patch, other.Items[4].Patch = []byte(patch), []byte(patch)
		errs := parseErrors(body)
		if len(errs) > maxErrors {
			t.Errorf("%d errors", len(errs))
		}
		got := hints(b, errs)
		if again := hints(other, errs); !cmp.Equal(got, again) {
			t.Errorf("with other values in the batch, the hints of %q are %v, not %v", body, again, got)
		}
		if len(got) == len(b.Items) || got != nil && len(got) == 0 {
			t.Errorf("hints %v of %q", got, body)
		}
		for i, at := range got {
			if at < 0 || at >= len(b.Items) || i > 0 && at <= got[i-1] {
				t.Errorf("hints %v of %q", got, body)
			}
		}
	})
}

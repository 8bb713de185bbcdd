package main

// sinkGuards are those of the calls to Kustomer: what an outcome may say, what is
// believed of a reply, and what may be repeated of it.
var sinkGuards = []guard{
	// One attempt.
	{name: "no body without the lease", file: "sink/body.go", old: "if b.lease != nil && !b.lease() {", new: "if false {"},
	{name: "a body that was begun counts as sent", file: "sink/body.go", old: "\t\tb.begun = true\n", new: ""},
	{name: "nothing is read of a body after its attempt", file: "sink/body.go", old: "b.data, b.err = nil, errBodyGone", new: "_ = errBodyGone"},
	{name: "an attempt that broke off is unknown", file: "sink/put.go", old: "if begun {", new: "if false {"},
	{name: "net/http sends no request again", file: "sink/put.go", old: "r.Body, r.ContentLength = body, int64(payload.Len())", new: "r.Body, r.ContentLength = body, int64(payload.Len())\n\tr.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(payload.Bytes())), nil }\n\tr.Header.Set(\"Idempotency-Key\", \"k\")"},
	{name: "no redirect is followed", file: "sink/put.go", old: "s.transport.RoundTrip(r)", new: "(&http.Client{Transport: s.transport}).Do(r)", tests: "sink ^TestRedirectsAreNotFollowed$"},
	{name: "no redirect of a look is followed", file: "sink/look.go", old: "s.transport.RoundTrip(s.request(", new: "(&http.Client{Transport: s.transport}).Do(s.request(", tests: "sink ^TestRedirectsAreNotFollowed$"},
	{name: "an attempt has a deadline", file: "sink/put.go", old: "context.WithTimeout(ctx, s.timeout)", new: "context.WithCancel(ctx)"},
	{name: "a request of a look has a deadline", file: "sink/look.go", old: "context.WithTimeout(l.ctx, s.timeout)", new: "context.WithCancel(l.ctx)"},
	{name: "an org without references is sent none", file: "sink/put.go", old: "\ta.sink.noReferences.Store(true)\n", new: ""},
	{name: "only what had references is refused for them", file: "sink/put.go", old: "&& a.references && said", new: "&& said"},

	// The table of outcomes.
	{name: "accepted only with an operation", file: "sink/classify.go", old: "{200, 299, func(r reply) bool { return r.operation },", new: "{200, 299, nil,"},
	{name: "a 2xx of another kind is unknown", file: "sink/classify.go", old: "{200, 299, nil, batcher.Unknown,", new: "{200, 299, nil, batcher.Refused,"},
	{name: "a redirect is unknown", file: "sink/classify.go", old: "{300, 399, nil, batcher.Unknown,", new: "{300, 399, nil, batcher.Refused,"},
	{name: "a 408 is unknown", file: "sink/classify.go", old: "{408, 408, nil, batcher.Unknown,", new: "{408, 408, nil, batcher.Refused,"},
	{name: "a 429 is a limit", file: "sink/classify.go", old: "{429, 429, nil, batcher.Limited,", new: "{429, 429, nil, batcher.Refused,"},
	{name: "a 401 is the key's", file: "sink/classify.go", old: "{401, 401, nil, batcher.Unauthorized,", new: "{401, 401, nil, batcher.Refused,"},
	{name: "a foreign refusal proves nothing", file: "sink/classify.go", old: "reply.foreign, batcher.Doubtful,", new: "reply.foreign, batcher.Refused,"},
	{name: "a gateway's message is foreign", file: "sink/errors.go", old: "return one.listed || one.Code != \"\" || one.Title != \"\"", new: "return true"},
	{name: "a foreign refusal names all items", file: "sink/put.go", old: "a.out.Hints = everyItem(a.batch)", new: "_ = everyItem"},
	{name: "numbers of the payload are masked", file: "sink/words.go", old: "\t\tif number {\n", new: "\t\tif number && false {\n"},
	{name: "only whole numbers are masked", file: "sink/words.go", old: "if standsAlone(words, at+i, len(v)) {", new: "if true {"},
	{name: "a 403 is the key's", file: "sink/classify.go", old: "{403, 403, func(r reply) bool { return !r.foreign() }, batcher.Unauthorized,", new: "{403, 403, func(r reply) bool { return !r.foreign() }, batcher.Refused,"},
	{name: "a 403 may be for audit members", file: "sink/classify.go", old: "return len(r.audit) > 0", new: "return false"},
	{name: "a 404 of the path is no item's", file: "sink/classify.go", old: "{404, 404, reply.wrongPath,", new: "{404, 404, func(reply) bool { return false },"},
	{name: "a 5xx is unknown", file: "sink/classify.go", old: "{500, 599, nil, batcher.Unknown,", new: "{500, 599, nil, batcher.Refused,"},
	{name: "no HTTP status is unknown", file: "sink/classify.go", old: "{0, 1 << 30, nil, batcher.Unknown,", new: "{0, 1 << 30, nil, batcher.Refused,"},
	{name: "a wrong region is no item's", file: "sink/classify.go", old: "{400, 499, reply.wrongRegion,", new: "{400, 499, func(reply) bool { return false },"},
	{name: "a region alone is no word of the key", file: "sink/errors.go", old: "&& keyWord.MatchString(said)", new: ""},
	{name: "an echo of the payload is no word of the key", file: "sink/errors.go", old: "&& ofRegion(string(one.Code), scrub(said, payload))", new: ""},

	// What is believed of a reply.
	{name: "a reply is read up to a bound", file: "sink/reply.go", old: "io.LimitReader(r.Body, int64(most)+1)", new: "r.Body"},
	{name: "a reply cut at the bound is not whole", file: "sink/reply.go", old: "if err == nil && n > int64(most) {", new: "if err == nil && n > int64(most) && false {"},
	{name: "a body without an end is not read", file: "sink/reply.go", old: "if r.StatusCode < 200 {", new: "if false {"},
	{name: "the words of a cut reply do not count", file: "sink/put.go", old: "if readErr != nil {", new: "if false {"},
	{name: "an operation id is no free text", file: "sink/reply.go", old: "|| !validID(string(doc.Data.v.ID))", new: ""},
	{name: "no look at what is no operation id", file: "sink/look.go", old: "if !validID(op.ID) {", new: "if false {"},
	{name: "a cut look says nothing", file: "sink/look.go", old: "if err != nil && (resp.StatusCode/100 == 2 ||", new: "if false && (resp.StatusCode/100 == 2 ||"},
	{name: "another operation is not ours", file: "sink/look.go", old: "ok && o.id == l.op.ID &&", new: "ok &&"},
	{name: "a status nobody knows says nothing", file: "sink/look.go", old: "&& (o.complete || o.running)", new: ""},
	{name: "a wrong path is no operation gone", file: "sink/look.go", old: "&& l.view.Reason.Code == CodeNotFound", new: ""},
	{name: "batches not found is no operation gone", file: "sink/look.go", old: "if !ok && l.view.Status != http.StatusNotFound {\n\t\treturn\n", new: "if !ok {\n\t\tl.view.Kind = batcher.Gone\n\t\treturn\n"},
	{name: "complete only where the operation says so", file: "sink/look.go", old: "case !o.complete:", new: "case false:"},
	{name: "results are read once more after the end", file: "sink/look.go", old: "if t, ok = l.batches(); ok {", new: "if found {"},
	{name: "no more than twenty pages", file: "sink/look.go", old: "page <= min(pages, maxPages)", new: "page <= min(pages, 2*maxPages)"},
	{name: "a full page has a next one", file: "sink/look.go", old: "if n == 0 && entries >= pageSize {", new: "if false && entries > 0 {"},
	{name: "text that is no UTF-8 spoils no reply", file: "sink/lenient.go", old: "json.Unmarshal(body, v, jsontext.AllowInvalidUTF8(true))", new: "json.Unmarshal(body, v)"},
	{name: "a member of another kind spoils no reply", file: "sink/lenient.go", old: "if dec.PeekKind() != jsontext.KindBeginObject {", new: "if false {"},

	// Results.
	{name: "a foreign reference is no result", file: "sink/results.go", old: "|| string(ref[:n]) != t.batch.ID ||", new: "||"},
	{name: "a foreign reference counts for no message", file: "sink/results.go", old: "if len(r.ref) == 0 {", new: "if i < 0 {"},
	{name: "an index has one spelling", file: "sink/results.go", old: "|| itoa(i) != string(ref[n+1:]) {", new: "{"},
	{name: "a result that contradicts itself is no success", file: "sink/results.go", old: "case have.Status != batcher.NoResult:", new: "case false:"},
	{name: "a status nobody knows is no result", file: "sink/results.go", old: `case status == "updated" || status == "created":`, new: "default:"},
	{name: "an error without a status is a failure", file: "sink/results.go", old: `case status == "":`, new: "case false:"},
	{name: "ids of a batch under way are no results", file: "sink/results.go", old: "over || len(status) == 0 && len(success) > 0 {", new: "over || true {"},
	{name: "ids count only in their number", file: "sink/results.go", old: "if len(success) > 0 && string(success) != itoa(n) {", new: "if false {"},

	// Hints.
	{name: "an error that names all is no hint", file: "sink/hints.go", old: "if named := h.named(e); !named.all() {", new: "if named := h.named(e); true {"},
	{name: "an index of no item is no hint", file: "sink/hints.go", old: "if !found.any() && !indexed {", new: "if !found.any() && (!indexed || true) {"},
	{name: "a sentence is no path", file: "sink/hints.go", old: "|| strings.ContainsFunc(s, unicode.IsSpace) {", new: "{"},
	{name: "errors count up to a bound", file: "sink/errors.go", old: "e.Errors[:min(len(e.Errors), maxErrors)]", new: "e.Errors"},

	// Quota.
	{name: "times are measured by the reply's clock", file: "sink/quota.go", old: "now = date", new: "_ = date"},
	{name: "no more remains than the limit", file: "sink/quota.go", old: "if limit >= 0 && remaining > limit {", new: "if false {"},
	{name: "a reset years away is none", file: "sink/quota.go", old: "&& wait <= maxWait.Seconds()", new: ""},

	// The key, and what a text may not repeat.
	{name: "a refused key is read again", file: "sink/put.go", old: "case rule.kind == batcher.Unauthorized:\n\t\ta.sink.key.doubt()\n", new: ""},
	{name: "a forbidden key is read again", file: "sink/put.go", old: "\t\t}\n\t\ta.sink.key.doubt()\n", new: "\t\t}\n"},
	{name: "a key refused to a look is read again", file: "sink/look.go", old: "\t\ts.key.doubt()\n", new: ""},
	{name: "a doubted key is read though its file is old", file: "sink/key.go", old: "k.doubted || !info", new: "!info"},
	{name: "a changed key file is read", file: "sink/key.go", old: "!info.ModTime().Equal(k.modified) || info.Size() != k.size)", new: "false)"},
	{name: "the last key outlives a broken file", file: "sink/key.go", old: "\tif err != nil {\n\t\treturn fmt.Errorf(\"%s %w\", k.file, err)", new: "\tif err != nil && k.value == \"\" {\n\t\treturn fmt.Errorf(\"%s %w\", k.file, err)"},
	{name: "an error about the key does not quote it", file: "sink/key.go", old: `"has a character that no API key has; is it one key on one line?"`, new: `"has a character that no API key has: " + key`},
	{name: "no text repeats the key", file: "sink/words.go", old: "words = strings.ReplaceAll(words, secret, mask)", new: "_ = secret"},
	{name: "no text repeats the key before", file: "sink/key.go", old: "k.value, k.previous = value, k.value", new: "k.value = value"},
	{name: "no text repeats the proxy's password", file: "sink/sink.go", old: "proxy.User.String(), proxy.User.Username(), password)", new: "proxy.User.Username())\n\t\t\t_ = password"},
	{name: "no text repeats the payload", file: "sink/words.go", old: "words = scrub(bounded(words), payload)", new: "words = bounded(words)"},
	{name: "no text repeats a piece of the payload", file: "sink/words.go", old: "for i := 0; i+run <= len(v); i++ {", new: "for i := 0; false; i++ {"},
	{name: "words come on one line", file: "sink/words.go", old: `if unicode.IsControl(r) ||`, new: "if false && unicode.IsControl(r) ||"},
	{name: "words are short", file: "sink/words.go", old: "truncate(strings.TrimSpace(words), maxWords)", new: "strings.TrimSpace(words)"},
	{name: "an error about a URL does not quote it", file: "sink/sink.go", old: `key, strings.Join(schemes, " or "))`, new: `key+" "+raw, strings.Join(schemes, " or "))`},
	{name: "the base URL has no password", file: "sink/sink.go", old: "base.User != nil || base.RawQuery", new: "base.RawQuery"},
}

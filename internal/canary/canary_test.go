package canary

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// Each way in which Go prints a text or bytes is found, wherever it stands.
func TestFindsEachForm(t *testing.T) {
	type record struct {
		Offset int64
		Value  []byte
	}
	r := record{7, []byte(`{"subject":"` + Value + `"}`)}
	asJSON, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{
		"plain":           "x " + Secret + " y",
		"cut after":       "x" + Value[:len(Value)-3],
		"capitals":        strings.ToUpper(Header),
		"%v":              fmt.Sprintf("%v", r),
		"%+v of pointer":  fmt.Sprintf("%+v", &r),
		"%#v":             fmt.Sprintf("%#v", r),
		"%q":              fmt.Sprintf("%q", r.Value),
		"%x":              fmt.Sprintf("%x", r.Value),
		"%X":              fmt.Sprintf("%X", Key),
		"% x":             fmt.Sprintf("% x", Key),
		"JSON":            string(asJSON),
		"array of bytes":  strings.ReplaceAll(fmt.Sprint(r.Value), " ", ","),
		"number":          fmt.Sprint(Number + 123456),
		"as float":        fmt.Sprint(float64(Number + 123456)),
		"zap's any":       fmt.Sprint(zap.Any("k", r).Interface),
		"url-safe base64": base64.URLEncoding.EncodeToString([]byte("user:" + Secret)),
	}
	for before := range 6 {
		texts[fmt.Sprintf("base64 at %d", before)] = base64.RawStdEncoding.EncodeToString([]byte("??????"[:before] + Value + "?"))
	}
	for name, text := range texts {
		at, as := Find([]byte("before " + text + " after"))
		if at < 0 {
			t.Errorf("%s: nothing found in %s", name, text)
		}
		if at >= 0 && as == "" {
			t.Errorf("%s: found, but not how", name)
		}
	}
}

func TestFindsNothingElse(t *testing.T) {
	for _, text := range []string{
		"", "canary", "internal/canary", "TestCanary", "qzk7", "1735190245999999", "0x71 0x7a",
		`{"level":"info","ts":"2026-11-25T12:41:48.945859966Z","msg":"batch completed","batch_id":"4y3325qtjr6a-1"}`,
	} {
		if at, as := Find([]byte(text)); at >= 0 {
			t.Errorf("found at %d %s in %q", at, as, text)
		}
	}
}

func TestSearchNamesTheLine(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	text := "one\ntwo " + Value + "\n" + long + Secret + long + "\nfour"
	found, size, err := Search("a.log", strings.NewReader(text))
	if err != nil || size != int64(len(text)) || len(found) != 2 {
		t.Fatalf("%d findings in %d bytes, %v; want 2 in %d", len(found), size, err, len(text))
	}
	if got, want := found[0].String(), "a.log:2: a canary as it is: two "+Value; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if f := found[1]; f.Line != 3 || !strings.Contains(f.Near, Secret) || len(f.Near) > 500 {
		t.Errorf("got %d bytes around line %d: %.100s", len(f.Near), f.Line, f.Near)
	}
}

// failures stands for a test that a leak must fail.
type failures struct {
	testing.TB
	said    []string
	cleanup []func()
}

func (f *failures) Name() string { return "TestOf/a case" }
func (f *failures) Errorf(format string, as ...any) {
	f.said = append(f.said, fmt.Sprintf(format, as...))
}
func (f *failures) Cleanup(do func()) { f.cleanup = append(f.cleanup, do) }

func TestLoggerFailsTheTestAndLeavesItsLog(t *testing.T) {
	t.Setenv(FolderVariable, t.TempDir())
	f := &failures{TB: t}
	log := Logger(f)
	log.Debug("all is well", zap.String("batch_id", "b1"))
	if len(f.said) > 0 {
		t.Errorf("a line without a canary failed the test: %v", f.said)
	}
	log.Named("kafka").Debug("leak", zap.Any("record", struct{ Value []byte }{[]byte(Value)}))
	if len(f.said) != 1 || !strings.Contains(f.said[0], "the log:2") {
		t.Errorf("the test says %v, want one leak in line 2", f.said)
	}
	for _, do := range f.cleanup {
		do()
	}
	log.Info(Secret) // after the end: neither a panic nor a failure
	files, err := filepath.Glob(filepath.Join(Folder(), "TestOf_a_case-*.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v, want one", files, err)
	}
	if text, err := os.ReadFile(files[0]); err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("%v, and the file is %q", err, text)
	}
	all, err := SearchFolder(Folder())
	if err != nil || all.Files != 1 || len(all.Findings) != 1 || all.Findings[0].Line != 2 {
		t.Errorf("the search found %+v, %v", all, err)
	}
}

//go:build kafka && linux

package e2e

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
)

// schemaOf reads results as anybody would: by the schema that the registry has under
// the number in front of each. It notes the numbers.
func (w *formatWorld) schemaOf(ids map[uint32]int) func([]byte) ([]byte, error) {
	codecs := map[uint32]*goavro.Codec{}
	return func(value []byte) ([]byte, error) {
		if len(value) < 5 || value[0] != 0 {
			return nil, fmt.Errorf("a result without a schema id: % x", value[:min(len(value), 8)])
		}
		id := uint32(value[1])<<24 | uint32(value[2])<<16 | uint32(value[3])<<8 | uint32(value[4])
		if ids[id]++; codecs[id] == nil {
			s, err := w.schemas.SchemaByID(w.t.Context(), int(id))
			if err != nil {
				return nil, err
			}
			if codecs[id], err = goavro.NewCodecForStandardJSONFull(s.Schema); err != nil {
				return nil, err
			}
		}
		native, rest, err := codecs[id].NativeFromBinary(value[5:])
		if err != nil || len(rest) > 0 {
			return nil, fmt.Errorf("%d bytes too many, %w", len(rest), err)
		}
		return codecs[id].TextualFromNative(nil, native)
	}
}

// Results as Avro: whoever has the registry can read them, and a process that could
// not write such results does not start.
func TestAvroResults(t *testing.T) {
	t.Parallel()
	program := "mapping: {jq_file: " + tempFile(t, "own.jq", ownProgram) + "}"
	w := newFormatWorld(t, map[string]string{"own": program}, nil)
	gate, through := gateTo(t, w.url)
	w.url = through
	section := func(topic string) string { return fmt.Sprintf("results: {topic: %s, format: avro}", topic) }
	ids := map[uint32]int{}
	w.decode = w.schemaOf(ids)

	for _, name := range []string{"first", "again"} { // the second time the schema is there
		w.makeOwn("own", 60)
		w.produceAll()
		c := w.connector(name, "", w.registry(""), section(w.results), w.deadLetter("off"))
		w.awaitNoLag(time.Minute)
		c.term()
	}
	wantSame(t, "the messages", w.truth(), w.api.states())
	w.wantLetters()
	w.wantResults()
	if len(ids) != 1 {
		t.Errorf("results have the schema ids %v, want one", ids)
	}
	t.Logf("results by schema id: %v", ids)

	// Without the right to register, somebody has to.
	other := w.results + "-other"
	missing := []string{w.registry(", auto_register: false"), section(other)}
	subject := `under the subject "` + other + `-value"`
	wantRefusal(t, w.connector("refuses", "", missing...), "results.format is avro", subject, `"kafka-kustomer schemas register" registers it`)
	out, err := exec.Command(binary, "schemas", "register", "-c", w.configure("registers", "", missing...)).CombinedOutput()
	if err != nil {
		t.Errorf("schemas register: %v\n%s", err, out)
	}
	c := w.connector("allowed", "", missing...)
	awaitReady(t, c)
	c.term()

	gate.shut()
	wantRefusal(t, w.connector("cut-off", "", w.registry(""), section(w.results)), "results.format is avro", through[:len("http://127.0.0.1:")], gate.address, "connection refused")
	if n := w.count(w.results); n != sum(ids) {
		t.Errorf("%d results, %d before", n, sum(ids))
	}
}

func (w *formatWorld) count(topic string) (n int) {
	w.read(topic, func(*kgo.Record) error { n++; return nil })
	return n
}

func sum(counts map[uint32]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}

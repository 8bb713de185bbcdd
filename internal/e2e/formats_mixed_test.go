//go:build kafka && linux

package e2e

import (
	"testing"
	"time"
)

// newMixedWorld is a world with a topic of each kind of mapping, and n records or
// somewhat more in each.
func newMixedWorld(t *testing.T, n int) *formatWorld {
	t.Helper()
	program := "mapping: {jq_file: " + tempFile(t, "own.jq", ownProgram) + "}"
	w := newFormatWorld(t, map[string]string{
		"changes": "format: auto", "rows": rowsEntry, "webhooks": webhooksEntry, "own": program,
	}, nil)
	w.makeChanges("changes", n)
	w.makeRows("rows", n)
	w.makeWebhooks("webhooks", n)
	w.makeOwn("own", n)
	w.interleave()
	w.produceAll()
	return w
}

// mixed are the sections for such a world. Oversize is 64 KiB, so that it is cheap to
// exceed.
func (w *formatWorld) mixed() []string {
	return []string{w.registry(", unknown_grace: 1s"), w.deadLetter("off"), "limits: {max_event_bytes: 64KiB}"}
}

// Everything that a record may look like, in one configuration.
func TestMixedFormats(t *testing.T) {
	t.Parallel()
	w := newMixedWorld(t, 300)
	begun := time.Now()
	c := w.connector("polyglot", "", w.mixed()...)
	w.awaitNoLag(2 * time.Minute)
	t.Logf("%d records in %v", len(w.records), time.Since(begun).Round(time.Millisecond))
	w.wantCounts(c)
	c.term()
	w.wantFates()
}

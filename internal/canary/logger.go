package canary

import (
	"os"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Logger returns a logger of all levels. A line that holds a canary fails the test.
func Logger(t testing.TB) *zap.Logger { return zap.New(core(t)) }

// Watch returns a logger that writes to c, and watches all levels as [Logger] does,
// those that c leaves out too.
func Watch(t testing.TB, c zapcore.Core) *zap.Logger {
	return zap.New(zapcore.NewTee(c, core(t)))
}

func core(t testing.TB) zapcore.Core {
	w := &watcher{t: t}
	if folder := Folder(); folder != "" {
		file, err := os.CreateTemp(folder, FileName(t.Name())+"-*.log")
		if err != nil {
			t.Fatalf("canary: %s: %v", FolderVariable, err)
		}
		w.file = file
	}
	t.Cleanup(w.close)
	return zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), w, zapcore.DebugLevel)
}

// FileName makes a part of a file's name of a test's.
func FileName(test string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>| `, r) {
			return '_'
		}
		return r
	}, test)
}

// watcher looks at each line that is written to it.
type watcher struct {
	mu    sync.Mutex
	t     testing.TB // nil once the test is over: a client's goroutine may still have a word
	file  *os.File   // nil: none
	lines int
}

func (w *watcher) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.t == nil {
		return len(line), nil
	}
	w.lines++
	if at, as := Find(line); at >= 0 {
		w.t.Errorf("%v", Finding{"the log", w.lines, as, around(line, at)})
	}
	if w.file != nil {
		return w.file.Write(line)
	}
	return len(line), nil
}

func (w *watcher) Sync() error { return nil }

func (w *watcher) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t = nil
	if w.file != nil {
		_ = w.file.Close() // each line is in it already
	}
}

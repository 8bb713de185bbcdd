package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

// apiKey is the API key, and where it is read again.
type apiKey struct {
	file string // empty: the key is fixed

	mu       sync.Mutex
	value    string
	previous string // a reply may still speak of the key before
	modified time.Time
	size     int64
	doubted  bool // it was refused: the file counts as changed
}

func newAPIKey(value, file string) (*apiKey, error) {
	switch {
	case value != "" && file != "":
		return nil, errors.New("kustomer.api_key and kustomer.api_key_file are both set; keep one")
	case file != "":
		k := &apiKey{file: file}
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("reading kustomer.api_key_file: %w", err)
		}
		if err := k.read(info); err != nil {
			return nil, fmt.Errorf("reading kustomer.api_key_file: %w", err)
		}
		return k, nil
	}
	value, err := checkKey(value)
	if err != nil {
		return nil, fmt.Errorf("kustomer.api_key %w", err)
	}
	return &apiKey{value: value}, nil
}

// current returns the key, read again first when its file has changed or the
// last one was refused. A file that cannot be read, or that holds no key, is
// taken for one being replaced: the last key stays in use.
func (k *apiKey) current() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == "" {
		return k.value
	}
	info, err := os.Stat(k.file)
	if err == nil && (k.doubted || !info.ModTime().Equal(k.modified) || info.Size() != k.size) {
		// An error leaves the stamps as they were, so the next call tries again.
		_ = k.read(info)
	}
	return k.value
}

// doubt makes the next call read the file again, changed or not.
func (k *apiKey) doubt() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.doubted = true
}

// secrets are the keys that a text may not repeat.
func (k *apiKey) secrets() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return []string{k.value, k.previous}
}

func (k *apiKey) read(info fs.FileInfo) error {
	raw, err := os.ReadFile(k.file)
	if err != nil {
		return err
	}
	value, err := checkKey(string(raw))
	if err != nil {
		return fmt.Errorf("%s %w", k.file, err)
	}
	if value != k.value {
		k.value, k.previous = value, k.value
	}
	k.modified, k.size, k.doubted = info.ModTime(), info.Size(), false
	return nil
}

// checkKey trims a key and sees that it can stand in a header. Its errors do
// not quote it.
func checkKey(raw string) (string, error) {
	key := strings.TrimSpace(raw)
	if key == "" {
		return "", errors.New("is empty; create a key in Kustomer under Settings, Security, API Keys")
	}
	for _, b := range []byte(key) {
		if b <= ' ' || b >= 0x7f {
			return "", errors.New("has a character that no API key has; is it one key on one line?")
		}
	}
	return key, nil
}

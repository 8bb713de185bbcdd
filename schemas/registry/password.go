package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// credentials are the user and the password, and where that is read again.
type credentials struct {
	username string
	file     string // empty: the password is fixed

	mu       sync.Mutex
	password string
	modified time.Time
	size     int64
	doubted  bool // it was refused: the file counts as changed
}

func newCredentials(cfg Config) (*credentials, error) {
	c := &credentials{username: cfg.Username, password: cfg.Password, file: cfg.PasswordFile}
	switch {
	case c.password != "" && c.file != "":
		return nil, errors.New("schema_registry.password and schema_registry.password_file are both set; keep one")
	case c.username == "" && (c.password != "" || c.file != ""):
		return nil, errors.New("schema_registry has a password but no username; set schema_registry.username")
	case strings.Contains(c.username, ":"):
		return nil, errors.New("schema_registry.username has a colon in it, which basic authentication can't transport")
	case c.file != "":
		info, err := os.Stat(c.file)
		if err == nil {
			err = c.read(info)
		}
		if err != nil {
			return nil, fmt.Errorf("reading schema_registry.password_file: %w", err)
		}
	}
	return c, nil
}

// sign puts the password as it is now into a request. A file that can't be read,
// or is empty, is taken for one being replaced: the last password stays in use.
func (c *credentials) sign(r *http.Request) error {
	if c.username == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file != "" {
		info, err := os.Stat(c.file)
		if err == nil && (c.doubted || !info.ModTime().Equal(c.modified) || info.Size() != c.size) {
			// An error leaves the stamps as they were, so the next request tries again.
			_ = c.read(info)
		}
	}
	r.SetBasicAuth(c.username, c.password)
	return nil
}

// doubt makes the next request read the file again, changed or not.
func (c *credentials) doubt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doubted = true
}

func (c *credentials) read(info fs.FileInfo) error {
	raw, err := os.ReadFile(c.file)
	if err != nil {
		return err
	}
	password := strings.TrimRight(string(raw), "\r\n")
	if password == "" {
		return fmt.Errorf("%s is empty", c.file)
	}
	c.password, c.modified, c.size, c.doubted = password, info.ModTime(), info.Size(), false
	return nil
}

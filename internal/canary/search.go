package canary

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FolderVariable is the environment variable that names the folder in which tests
// leave logs and the output of the programs they start. Unset, they leave nothing.
const FolderVariable = "KAFKA_KUSTOMER_TEST_LOGS"

// Folder returns that folder, or "".
func Folder() string { return os.Getenv(FolderVariable) }

// Finding is one line that holds a canary.
type Finding struct {
	Where string // file, or test
	Line  int    // 0 unknown
	As    string // the form of the canary
	Near  string // the canary and what is around it
}

func (f Finding) String() string {
	where := f.Where
	if f.Line > 0 {
		where = fmt.Sprintf("%s:%d", f.Where, f.Line)
	}
	return fmt.Sprintf("%s: a canary %s: %s", where, f.As, f.Near)
}

// Search reads a text to its end and returns the lines with canaries.
func Search(where string, r io.Reader) (found []Finding, size int64, err error) {
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		size += int64(len(line))
		if at, as := Find(line); at >= 0 {
			found = append(found, Finding{where, n, as, around(line, at)})
		}
		if errors.Is(err, io.EOF) {
			return found, size, nil
		}
		if err != nil {
			return found, size, fmt.Errorf("search %s: %w", where, err)
		}
	}
}

// Result is what a search in a folder came to.
type Result struct {
	Findings []Finding
	Files    int
	Bytes    int64
}

// SearchFolder searches all files below a folder.
func SearchFolder(folder string) (Result, error) {
	var all Result
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		found, size, err := Search(path, file)
		all.Findings = append(all.Findings, found...)
		all.Files++
		all.Bytes += size
		return err
	})
	return all, err
}

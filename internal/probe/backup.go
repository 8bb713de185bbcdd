package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// backup is the file that holds the request which restores the message.
type backup struct{ path string }

// keep writes the file before anything is changed. An older one is the sign of a
// probe that did not end, and must not be lost.
func keep(path, base string, body []byte) (backup, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return backup{}, fmt.Errorf("%s exists: an earlier probe of this message was not able to restore it; send the file as it says below, then remove it\n  %s", path, byHand(base, path))
	}
	if err != nil {
		return backup{}, fmt.Errorf("nothing was changed, as what restores the message can't be kept: %w", err)
	}
	_, err = f.Write(body)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return backup{}, fmt.Errorf("nothing was changed, as what restores the message can't be kept: %w", errors.Join(err, os.Remove(path)))
	}
	return backup{path}, nil
}

// remove takes the file away: the message is as it was.
func (b backup) remove() error {
	if b.path == "" {
		return nil
	}
	return os.Remove(b.path)
}

func backupPath(dir, message string) string {
	return filepath.Join(dir, "kafka-kustomer-probe-"+message+".json")
}

// byHand is the command that restores a message from its file.
func byHand(base, path string) string {
	return fmt.Sprintf(`curl -X PUT %s/v1/messages/bulk -H "Authorization: Bearer $KUSTOMER_API_KEY" -H 'Content-Type: application/json' --data-binary @%s`, base, path)
}

package config

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// Secret is a value that is printed as *** by every ordinary way of printing.
// Its zero value is the empty secret, which prints as nothing: whether a secret
// is set is no secret.
//
// The text is behind a pointer, because fmt calls no methods on the unexported
// fields of a struct: what it would then print of a Secret is an address.
type Secret struct{ text *string }

// NewSecret returns text as a Secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the secret itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Equal reports whether both hold the same text.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String returns ***, or nothing for the empty secret.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return "***"
}

// GoString is String.
func (s Secret) GoString() string { return s.String() }

// Format prints String whatever the verb, so that %x and %d tell nothing either.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText is String: JSON and YAML encoders call it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ByteSize is a number of bytes, written 512, 100KB (1,000s) or 24MiB (1,024s).
type ByteSize int64

// Sizes to multiply by.
const (
	KiB ByteSize = 1 << 10
	MiB ByteSize = 1 << 20
	GiB ByteSize = 1 << 30
)

// byteUnits are the units by their names, the largest first as String needs it.
// No name is the end of one before it, but B, which comes last.
var byteUnits = []struct {
	name string
	size ByteSize
}{
	{"GiB", GiB},
	{"MiB", MiB},
	{"KiB", KiB},
	{"GB", 1e9},
	{"MB", 1e6},
	{"KB", 1e3},
	{"B", 1},
}

// String writes the size with the largest unit that divides it.
func (b ByteSize) String() string {
	for _, u := range byteUnits {
		if b != 0 && u.size > 1 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// MarshalYAML writes the size as in the file.
func (b ByteSize) MarshalYAML() (any, error) { return plain(b.String()), nil }

func parseByteSize(text string) (ByteSize, error) {
	number, unit := text, ByteSize(1)
	for _, u := range byteUnits {
		if n, ok := strings.CutSuffix(text, u.name); ok {
			number, unit = n, u.size
			break
		}
	}
	n, err := parseInt(strings.TrimSuffix(number, " "))
	if err != nil || n < 0 || ByteSize(n) > math.MaxInt64/unit {
		return 0, errors.New("is not a size: write bytes, or a whole number with KB, MB, GB, KiB, MiB or GiB, as in 24MiB")
	}
	return ByteSize(n) * unit, nil
}

// Rate is a number of requests a minute, or [Auto].
type Rate int

// Auto is the Rate that follows the quota in the replies.
const Auto Rate = 0

const maxRate Rate = 100_000

// String is auto or the number.
func (r Rate) String() string {
	if r == Auto {
		return "auto"
	}
	return strconv.Itoa(int(r))
}

// MarshalYAML writes the rate as in the file.
func (r Rate) MarshalYAML() (any, error) { return plain(r.String()), nil }

func parseRate(text string) (Rate, error) {
	if text == "auto" {
		return Auto, nil
	}
	n, err := parseInt(text)
	if err != nil || n < 1 || Rate(n) > maxRate {
		return 0, fmt.Errorf("is neither auto nor a whole number of 1 to %d", maxRate)
	}
	return Rate(n), nil
}

// Share is a part of a whole, written 0.2 or 20%.
type Share float64

// String writes the share as a fraction.
func (s Share) String() string { return strconv.FormatFloat(float64(s), 'g', -1, 64) }

func parseShare(text string) (Share, error) {
	number, scale := text, 1.0
	if n, ok := strings.CutSuffix(text, "%"); ok {
		number, scale = n, 100
	}
	f, err := strconv.ParseFloat(number, 64)
	// ParseFloat also takes NaN, hexadecimals and underscores.
	if err != nil || strings.Trim(number, "+-.0123456789") != "" {
		return 0, errors.New("is not a share: write 0.2 or 20%")
	}
	return Share(f / scale), nil
}

// Brake is a share, or [Off].
type Brake Share

// Off is the Brake that never holds.
const Off Brake = 0

// String is off, or the share.
func (b Brake) String() string {
	if b == Off {
		return "off"
	}
	return Share(b).String()
}

// MarshalYAML writes the brake as in the file.
func (b Brake) MarshalYAML() (any, error) { return plain(b.String()), nil }

func parseBrake(text string) (Brake, error) {
	if text == "off" {
		return Off, nil
	}
	share, err := parseShare(text)
	if err != nil || share == 0 {
		return 0, errors.New("is neither off nor a share above 0: write off, 0.05 or 5%")
	}
	return Brake(share), nil
}

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, errors.New("is not a duration: write a number with a unit (ms, s, m, h), as in 30s or 1m30s")
	}
	return d, nil
}

// parseInt takes decimals only: an 010 that is 8 to one reader and 10 to the
// next has no place in a configuration.
func parseInt(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || strconv.Itoa(n) != text {
		return 0, errors.New("is not a whole number")
	}
	return n, nil
}

func parseBool(text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("is neither true nor false")
}

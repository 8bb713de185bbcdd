package rules

import (
	"bytes"
	"hash/maphash"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kafka-kustomer/internal/jsonscan"
)

// longer reports whether a JSON string has more than so many characters. It never
// has more of them than bytes, so few have to be counted.
func longer(raw []byte, most int) bool {
	return len(raw)-len(`""`) > most && characters(raw) > most
}

// characters counts the Unicode characters of a JSON string. It does not unescape
// it, as long texts have line ends.
func characters(raw []byte) (n int) {
	for i := 1; i < len(raw)-1; n++ {
		switch {
		case raw[i] != '\\':
			_, size := utf8.DecodeRune(raw[i:])
			i += size
		case raw[i+1] != 'u':
			i += len(`\n`)
		case (raw[i+2] == 'd' || raw[i+2] == 'D') && raw[i+3] > '7': // half of a pair
			i += len(`\ud83d\ude00`)
		default:
			i += len(`\u00e9`)
		}
	}
	return n
}

func isObjectID(raw []byte) bool {
	id := jsonscan.Unquote(raw)
	for _, c := range id {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return len(id) == 24
}

// isDateTime takes what RFC 3339 has, and what package time takes beyond: an hour of
// one digit, a comma before fractions.
func isDateTime(raw []byte) bool {
	said := jsonscan.Unquote(raw)
	var t time.Time
	return t.UnmarshalText(said) == nil || isRareTime(said)
}

// isRareTime is for what the RFC has and package time does not take: lower-case
// letters, and a leap second, which is the last one of a day in UTC.
func isRareTime(said []byte) bool {
	const seconds = len("2006-01-02T15:04:")
	if len(said) < seconds+len("05Z") || len(said) > maxTime {
		return false
	}
	said = bytes.ToUpper(said)
	leap := string(said[seconds:seconds+2]) == "60"
	if leap {
		copy(said[seconds:], "59")
	}
	var t time.Time
	if t.UnmarshalText(said) != nil {
		return false
	}
	hour, minute, _ := t.UTC().Clock()
	return !leap || hour == 23 && minute == 59
}

// maxTime is more than a time has with all the digits of a fraction that anyone needs.
const maxTime = 64

// isURI takes any URI with a scheme that package net/url takes. That allocates, so
// the URLs that nearly all of them are do without.
func isURI(raw []byte) bool {
	said := jsonscan.Unquote(raw)
	if isWebURL(said) {
		return true
	}
	u, err := url.Parse(string(said))
	return err == nil && u.Scheme != ""
}

// isWebURL reports whether text is a URL of http or https in which nothing is
// unusual: no port, user, escape or other character than these.
func isWebURL(text []byte) bool {
	const scheme, secure = "http://", "https://"
	switch {
	case len(text) > len(scheme) && string(text[:len(scheme)]) == scheme:
		text = text[len(scheme):]
	case len(text) > len(secure) && string(text[:len(secure)]) == secure:
		text = text[len(secure):]
	default:
		return false
	}
	others := "-." // of the host
	for _, c := range text {
		if c == '/' {
			others = "-./_~?=&+#,;:@!$*()"
		} else if !isAlphanumeric(rune(c)) && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

func isAlphanumeric(c rune) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isPolarity(raw []byte) bool {
	f, err := strconv.ParseFloat(string(raw), 64)
	return err == nil && (f == -1 || f == 0 || f == 1)
}

func isConfidence(raw []byte) bool {
	f, err := strconv.ParseFloat(string(raw), 64)
	return err == nil && f >= -1 && f <= 1
}

var fingerprints = maphash.MakeSeed()

// fingerprint is equal for objects of strings and numbers that are equal in content,
// however they are written, and different for others but once in 2^64.
func fingerprint(raw []byte) (sum uint64) {
	for s := jsonscan.Scan(raw); s.Next(); {
		var h maphash.Hash
		h.SetSeed(fingerprints)
		_, _ = h.Write(s.Name)
		_ = h.WriteByte('=')
		if value := s.Bytes(); value[0] == '"' {
			_, _ = h.Write(jsonscan.Unquote(value))
		} else {
			f, _ := strconv.ParseFloat(string(value), 64) // out of range: infinite
			maphash.WriteComparable(&h, f)
		}
		sum += h.Sum64() // members have no order
	}
	return sum
}

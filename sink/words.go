package sink

import (
	"bytes"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxWords    = 300  // bytes of Kustomer's words that are passed on
	maxScrubbed = 4096 // bytes of them that are looked at
)

// clean makes foreign words fit for a log: without texts of the payload, which
// Kustomer may echo, without secrets, on one line, and short.
func (s *Sink) clean(words string, payload []byte) string {
	words = scrub(bounded(words), payload)
	for _, secret := range slices.Concat(s.key.secrets(), s.secrets) {
		if len(secret) >= shortestValue {
			words = strings.ReplaceAll(words, secret, mask)
		}
	}
	words = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(words, "\uFFFD"))
	return truncate(strings.TrimSpace(words), maxWords)
}

func bounded(s string) string { return truncate(s, maxScrubbed) }

// truncate cuts between characters.
func truncate(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

const (
	mask          = "***"
	shortestValue = 4  // a shorter value says nothing, and would mask half of any sentence
	run           = 12 // so much of a longer value gives it away, wherever Kustomer cut it
)

// scrub masks in words every string value of the payload, every run of 12 bytes
// out of a longer one, and every number, which may be a telephone's. Member names
// stay: they say where the trouble is.
func scrub(words string, payload []byte) string {
	if len(words) < shortestValue || len(payload) == 0 {
		return words
	}
	windows := make(map[string][]int)
	for i := 0; i+run <= len(words); i++ {
		windows[words[i:i+run]] = append(windows[words[i:i+run]], i)
	}
	masked := make([]bool, len(words))
	hide := func(at, n int) {
		for i := at; i < at+n; i++ {
			masked[i] = true
		}
	}
	eachValue(payload, func(v string, number bool) {
		if number {
			for at, i := 0, strings.Index(words, v); i >= 0; i = strings.Index(words[at:], v) {
				if standsAlone(words, at+i, len(v)) {
					hide(at+i, len(v))
				}
				at += i + len(v)
			}
			return
		}
		if len(v) < run {
			for at, i := 0, strings.Index(words, v); i >= 0; i = strings.Index(words[at:], v) {
				hide(at+i, len(v))
				at += i + len(v)
			}
			return
		}
		for i := 0; i+run <= len(v); i++ {
			for _, at := range windows[v[i:i+run]] {
				hide(at, run)
			}
		}
	})
	var b strings.Builder
	for i := range len(words) {
		switch {
		case !masked[i]:
			b.WriteByte(words[i])
		case i == 0 || !masked[i-1]:
			b.WriteString(mask)
		}
	}
	return b.String()
}

// standsAlone reports whether a part of a text is no part of a longer word or number.
func standsAlone(s string, at, n int) bool {
	word := func(i int) bool {
		return i >= 0 && i < len(s) && (s[i] == '_' || s[i] >= '0' && s[i] <= '9' || s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z')
	}
	return !word(at-1) && !word(at+n)
}

// eachValue calls f for the string values, not the names, and the numbers of a
// JSON text.
func eachValue(payload []byte, f func(v string, number bool)) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(payload), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		tok, err := dec.ReadToken()
		if err != nil {
			return
		}
		number := tok.Kind() == jsontext.KindNumber
		if tok.Kind() != jsontext.KindString && !number {
			continue
		}
		if kind, n := dec.StackIndex(dec.StackDepth()); kind == jsontext.KindBeginObject && n%2 == 1 {
			continue // a name
		}
		if v := tok.String(); len(v) >= shortestValue {
			f(v, number)
		}
	}
}

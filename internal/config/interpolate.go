package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

var errDollar = errors.New("has a $ that begins neither ${env:NAME}, ${env:NAME:-default} nor ${file:/path}; write $$ for a plain $")

// expand replaces the references in a scalar, once: what comes in by one is not
// looked at again. It reports whether there were any. The error shows nothing but
// names of variables and files, so that it fits a secret's scalar as well.
func (r *reader) expand(text string) (out string, references bool, err error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		b.WriteString(before)
		switch {
		case !found:
			return b.String(), references, nil
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			text = rest[1:]
		case strings.HasPrefix(rest, "{"):
			inner, after, closed := strings.Cut(rest[1:], "}")
			if !closed {
				return "", true, errors.New("has a ${ without its }")
			}
			value, err := r.lookup(inner)
			if err != nil {
				return "", true, err
			}
			b.WriteString(value)
			text, references = after, true
		default:
			return "", references, errDollar
		}
	}
}

// lookup returns what the reference ${inner} stands for. All references together
// are bounded as the file is: a file full of references to a large value would
// otherwise fill memory.
func (r *reader) lookup(inner string) (value string, err error) {
	if r.expanded > maxFile {
		return "", errors.New("the references of this file come to more than 1 MiB")
	}
	if name, ok := strings.CutPrefix(inner, "env:"); ok {
		value, err = r.lookupEnv(name)
	} else if path, ok := strings.CutPrefix(inner, "file:"); ok {
		value, err = r.lookupFile(path)
	} else {
		err = errDollar
	}
	r.expanded += len(value)
	return value, err
}

// lookupEnv resolves NAME or NAME:-default. As in a shell, the default also
// stands in for an empty variable.
func (r *reader) lookupEnv(reference string) (string, error) {
	name, fallback, hasFallback := strings.Cut(reference, ":-")
	if !envName.MatchString(name) {
		return "", errors.New("has an ${env:NAME} whose NAME is no variable's name (letters, digits, _)")
	}
	value, ok := r.env(name)
	switch {
	case hasFallback && value == "":
		return fallback, nil
	case !ok:
		return "", fmt.Errorf("the environment variable %s is not set; set it, or write ${env:%s:-default}", name, name)
	}
	return value, nil
}

// lookupFile returns a file's content without one trailing newline, as editors
// and mounted secrets have it.
func (r *reader) lookupFile(path string) (string, error) {
	data, err := r.readFile(path)
	if err != nil {
		return "", fmt.Errorf("the file of a ${file:…} cannot be read: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}

package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// document parses data into the root node of its only document; nil for a file
// without content.
func document(file string, data []byte) (*yaml.Node, error) {
	if len(data) > maxFile {
		return nil, Errors{{File: file, Text: "is larger than 1 MiB; is this the right file?"}}
	}
	if fault := foreignByte(file, data); fault != nil {
		return nil, Errors{*fault}
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, Errors{syntaxError(file, err)}
	}
	var first, second yaml.Node
	if err := loader.Load(&first); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, Errors{syntaxError(file, err)}
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
		return first.Content[0], nil
	case err != nil:
		return nil, Errors{syntaxError(file, err)}
	}
	return nil, Errors{{
		File: file, Line: second.Line, Column: second.Column,
		Text: `a second document begins here; a configuration is one document, so remove the "---"`,
	}}
}

// syntaxError turns the library's error into ours. Its messages are fixed texts
// but for one, which repeats the name after a '*': a password may begin with one.
func syntaxError(file string, err error) Error {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return Error{File: file, Text: "cannot be parsed as YAML"}
	}
	text := le.Message
	if le.Stage == yaml.ComposerStage {
		text = "an alias of an anchor that is not in the file; put a value that begins with * in quotes"
	}
	if le.ContextMsg != "" {
		text = le.ContextMsg + ": " + text
	}
	return Error{File: file, Line: le.Mark.Line, Column: le.Mark.Column, Text: "not YAML: " + text}
}

// foreignByte finds the first byte that no configuration has. The library would
// refuse it as well, without saying where it is.
func foreignByte(file string, data []byte) *Error {
	fault := Error{File: file, Line: 1}
	for i, lineStart := 0, 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fault.Text = "a byte that is not UTF-8; save the file as UTF-8"
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			fault.Text = fmt.Sprintf("a control character (U+%04X)", r)
		}
		if fault.Text != "" {
			fault.Column = 1 + utf8.RuneCount(data[lineStart:i])
			return &fault
		}
		i += size
		if r == '\n' {
			fault.Line++
			lineStart = i
		}
	}
	return nil
}

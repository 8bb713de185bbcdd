package mapping

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"

	"github.com/itchyny/gojq"
)

// refused are functions that a program here must not call, and why. In gojq as a
// library some of them do something else than in the command, or nothing, which
// nobody would expect.
var refused = map[string]string{
	"env":               "a program sees no environment",
	"$ENV":              "a program sees no environment",
	"input":             "a program sees one record; there is no next input",
	"inputs":            "a program sees one record; there is no next input",
	"input_filename":    "there is no file",
	"input_line_number": "there is no file",
	"modulemeta":        "there are no modules",
	"get_search_list":   "there are no modules",
	"debug":             "there is nowhere to print to",
	"stderr":            "there is nowhere to print to",
	"halt":              "the connector goes on; use empty to skip a record",
	"halt_error":        "the connector goes on; use error to refuse a record",
}

// formats are those that there are.
var formats = []string{"@text", "@json", "@html", "@uri", "@urid", "@csv", "@tsv", "@sh", "@base64", "@base64d"}

// refuse looks for what a program must not have.
func refuse(source string, query *gojq.Query) error {
	own := map[string]bool{}
	walk(query, func(node any) {
		if def, ok := node.(*gojq.FuncDef); ok {
			own[def.Name] = true
		}
	})
	var err error
	walk(query, func(node any) {
		switch n := node.(type) {
		case *gojq.Import:
			err = orFirst(err, fmt.Errorf("mapping.jq: the program has an import or include (%s): there are no modules here", describe(source, find(source, orElse(n.IncludePath, n.ImportPath)))))
		case *gojq.Term: // found by gojq only when it is come to
			if n.Format != "" && !slices.Contains(formats, n.Format) {
				err = orFirst(err, fmt.Errorf("mapping.jq: the program has %s (%s): there is no such format", n.Format, describe(source, find(source, n.Format))))
			}
		case *gojq.Func:
			if why, bad := refused[n.Name]; bad && !own[n.Name] {
				err = orFirst(err, fmt.Errorf("mapping.jq: the program calls %s (%s): %s", n.Name, describe(source, find(source, n.Name)), why))
			}
		}
	})
	return err
}

// patterned are the functions that take a regular expression first.
var patterned = []string{"test", "match", "capture", "scan", "split", "splits", "sub", "gsub"}

// takesPatterns tells whether a regular expression may come from somewhere else than
// the program's text.
func takesPatterns(query *gojq.Query) bool {
	found := false
	walk(query, func(node any) {
		if f, ok := node.(*gojq.Func); ok && len(f.Args) > 0 && slices.Contains(patterned, f.Name) && len(parts(f.Args[0])) > 1 {
			found = true
		}
	})
	return found
}

func orFirst(first, next error) error {
	if first != nil {
		return first
	}
	return next
}

// walk visits every node of a program.
func walk(node any, visit func(any)) { walkValue(reflect.ValueOf(node), visit) }

// walkValue goes by reflection: the nodes have some twenty types, and one that is
// overlooked would be a hole in what is refused.
func walkValue(v reflect.Value, visit func(any)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			visit(v.Interface())
			walkValue(v.Elem(), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walkValue(v.Field(i), visit)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkValue(v.Index(i), visit)
		}
	}
}

func syntaxError(source string, err error) error {
	if parse := (*gojq.ParseError)(nil); errors.As(err, &parse) {
		return fmt.Errorf("mapping.jq: the program is wrong at %s: %w", describe(source, parse.Offset-len(parse.Token)), err)
	}
	return fmt.Errorf("mapping.jq: the program is wrong: %w", err)
}

var undefined = regexp.MustCompile(`^(?:function|variable|format|label) not defined: ([^/]+)`)

// compileError finds the place by the name that is not defined, as gojq does not
// tell it.
func compileError(source string, err error) error {
	if m := undefined.FindStringSubmatch(err.Error()); m != nil {
		if at := find(source, m[1]); at >= 0 {
			return fmt.Errorf("mapping.jq: the program is wrong at %s: %w", describe(source, at), err)
		}
	}
	return fmt.Errorf("mapping.jq: the program is wrong: %w", err)
}

// find returns where a name stands first as a whole word, -1 where it does not.
func find(source, name string) int {
	m := regexp.MustCompile(`(?:^|[^\w$@])(` + regexp.QuoteMeta(name) + `)(?:\W|$)`).FindStringSubmatchIndex(source)
	if m == nil {
		return -1
	}
	return m[2]
}

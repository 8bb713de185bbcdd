package architecture

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// logKeys are all keys of our log lines, by type. They are an interface: people
// search and alert by them. A new one is added on purpose, and one that has been
// given a meaning keeps it.
var logKeys = map[string][]string{
	"string": {
		"address", "base_url", "batch_id", "broker", "check", "closed_by", "config", "detail", "error", "from", "group", "kind", "name",
		"operation_id", "part_of", "protocol", "reason", "remote_address", "source_topic", "to", "topic", "version",
	},
	"strings": {"partitions", "topics"},
	"number": {
		"attempt", "bytes", "completed", "dead_lettered", "delivered", "events", "expected_offset", "failed", "failed_attempts",
		"failed_looks", "first_lost_offset", "first_offset", "items", "last_lost_offset", "left_to_the_next_owner", "looks",
		"lost_records", "max_bytes", "offset", "operations", "partition", "partition_count", "replica_count", "returned",
		"skipped", "source_offset", "source_partition", "status", "updated", "value_bytes", "waiting",
	},
	"duration": { // a number of seconds
		"after_seconds", "asked_seconds", "at_most_seconds", "duration_seconds", "for_seconds", "next_attempt_in_seconds", "rest_seconds",
	},
}

// typeOf is what each of zap's constructors that we use makes. The others are not
// for us: they print whatever they are given, a payload too.
var typeOf = map[string]string{
	"String": "string", "Stringer": "string", "Strings": "strings", "Duration": "duration",
	"Int": "number", "Int16": "number", "Int32": "number", "Int64": "number", "Uint64": "number",
}

var snakeCase = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

// Every key of a log line is in the list, has one type, and no line can hold a value
// that is printed as it comes.
func TestLogKeys(t *testing.T) {
	used := map[string]bool{}
	for _, f := range sources(t) {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if name, key, ok := logField(n); ok {
				used[key] = true
				kind, allowed := typeOf[name]
				switch {
				case !allowed:
					t.Errorf("%s: zap.%s(%q) prints whatever it is given; use one of a type", f.path, name, key)
				case !slices.Contains(logKeys[kind], key):
					t.Errorf("%s: the key %q of zap.%s is not in the list of %s keys", f.path, key, name, kind)
				}
			}
			return true
		})
	}
	seen := map[string]string{"error": ""}
	for kind, keys := range logKeys {
		for _, key := range keys {
			if seen[key] != "" {
				t.Errorf("%s is both a %s and a %s", key, seen[key], kind)
			}
			seen[key] = kind
			if !snakeCase.MatchString(key) {
				t.Errorf("%s is not in snake_case", key)
			}
			if strings.HasSuffix(key, "_seconds") != (kind == "duration") {
				t.Errorf("%s: durations, and nothing else, end in _seconds", key)
			}
			if !used[key] {
				t.Errorf("%s is in the list, but no line has it", key)
			}
		}
	}
}

// logField returns the constructor and the key of a log field.
func logField(n ast.Node) (constructor, key string, ok bool) {
	call, isCall := n.(*ast.CallExpr)
	if !isCall || len(call.Args) == 0 {
		return "", "", false
	}
	sel, isSelector := call.Fun.(*ast.SelectorExpr)
	if !isSelector {
		return "", "", false
	}
	pkg, isName := sel.X.(*ast.Ident)
	lit, isLiteral := call.Args[0].(*ast.BasicLit)
	if !isName || pkg.Name != "zap" || !isLiteral || lit.Kind != token.STRING {
		return "", "", false
	}
	key, err := strconv.Unquote(lit.Value)
	return sel.Sel.Name, key, err == nil
}

// Fields have literal keys, or the list would not see them, and there is no way past
// the constructors.
func TestLogFieldsAreWrittenOut(t *testing.T) {
	blind := []string{"Any", "Reflect", "Binary", "ByteString", "ByteStrings", "Object", "Inline", "Array", "Namespace"}
	for _, f := range sources(t) {
		literal := map[ast.Node]bool{}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if _, _, ok := logField(n); ok {
				literal[n.(*ast.CallExpr).Fun] = true
			}
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || literal[sel] {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if !ok || pkg.Name != "zap" {
				return true
			}
			if _, constructor := typeOf[sel.Sel.Name]; constructor {
				t.Errorf("%s: zap.%s without a literal key", f.path, sel.Sel.Name)
			}
			if slices.Contains(blind, sel.Sel.Name) {
				t.Errorf("%s uses zap.%s, which prints whatever it is given", f.path, sel.Sel.Name)
			}
			return true
		})
	}
}

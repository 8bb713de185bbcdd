package probe

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Setting is a line of configuration.
type Setting struct {
	Key   string `json:"key"` // with dots
	Value string `json:"value"`
	Why   string `json:"why"`
}

// WriteYAML writes the settings as a piece of a configuration file, the reason in
// front of each line.
func (r *Report) WriteYAML(w io.Writer) error {
	settings := slices.Clone(r.Settings)
	slices.SortFunc(settings, func(a, b Setting) int { return strings.Compare(a.Key, b.Key) })
	var b strings.Builder
	var open []string
	for _, s := range settings {
		path := strings.Split(s.Key, ".")
		sections, name := path[:len(path)-1], path[len(path)-1]
		shared := 0
		for shared < min(len(open), len(sections)) && open[shared] == sections[shared] {
			shared++
		}
		for depth := shared; depth < len(sections); depth++ {
			fmt.Fprintf(&b, "%s%s:\n", indent(depth), sections[depth])
		}
		open = sections
		fmt.Fprintf(&b, "%s# %s\n%s%s: %s\n", indent(len(sections)), s.Why, indent(len(sections)), name, s.Value)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func indent(depth int) string { return strings.Repeat("  ", depth) }

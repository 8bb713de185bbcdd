package probe

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	if err := json.MarshalWrite(w, r, jsontext.WithIndent("  ")); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	question, verdict := 0, 0
	for _, a := range r.Answers {
		question, verdict = max(question, len(a.Question)), max(verdict, len(a.Verdict))
	}
	fmt.Fprintf(&b, "%-*s  %-*s  %s\n", question, "QUESTION", verdict, "ANSWER", "EVIDENCE")
	for _, a := range r.Answers {
		fmt.Fprintf(&b, "%-*s  %-*s  %s\n", question, a.Question, verdict, a.Verdict, a.Evidence)
		if a.Contrary {
			b.WriteString("  !! THIS CONTRADICTS WHAT THE CONNECTOR ASSUMES.\n")
		}
		if a.Means != "" {
			fmt.Fprintf(&b, "  -> %s\n", a.Means)
		}
	}
	fmt.Fprintf(&b, "\nFor the configuration:\n\n")
	if len(r.Settings) == 0 {
		b.WriteString("# nothing was learned that changes it\n")
	}
	_ = r.WriteYAML(&b) // a Builder takes everything
	fmt.Fprintf(&b, "\n%d requests were used.\n", r.Requests)
	if r.Stopped != "" {
		fmt.Fprintf(&b, "NOT EVERYTHING WAS ASKED: %s\n", r.Stopped)
	}
	r.restoration(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) restoration(b *strings.Builder) {
	if len(r.Others) > 0 {
		fmt.Fprintf(b, "Also changed meanwhile, by Kustomer or by somebody: %s\n", strings.Join(r.Others, ", "))
	}
	if r.Restored {
		fmt.Fprintf(b, "Message %s is as it was.\n", r.Message)
		return
	}
	fmt.Fprintf(b, "MESSAGE %s COULD NOT BE RESTORED: %s\n", r.Message, cmp.Or(r.RestoreError, "what was written was not taken back"))
	for _, name := range r.Unrestored {
		fmt.Fprintf(b, "  %s\n", name)
	}
	if r.ByHand != "" {
		fmt.Fprintf(b, "By hand, with what it was:\n  %s\n", r.ByHand)
	}
}

// WriteText writes what is going to be touched.
func (p *Plan) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Message %s at %s is going to be written and put back, with about %d requests:\n", p.Message, p.Host, p.Requests)
	if len(p.Touches) == 0 {
		b.WriteString("  nothing of it: the key may not read it, so it can't be put back. Requests for a\n  message that does not exist answer a few questions.\n")
	}
	for _, t := range p.Touches {
		fmt.Fprintf(&b, "  %-24s is now: %-10s %s\n", t.Name, t.Kind, t.How)
	}
	for _, s := range p.Skips {
		fmt.Fprintf(&b, "  not asked: %s\n", s)
	}
	if p.Backup != "" {
		fmt.Fprintf(&b, "What it is now is kept in %s until it is put back.\n", p.Backup)
	}
	b.WriteString("Workflows that run on updates of messages will run.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

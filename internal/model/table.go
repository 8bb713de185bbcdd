package model

import (
	"fmt"
	"io"
	"strings"
)

// tableHead explains the table to its reader.
const tableHead = `# What each rule is for

Made by ` + "`go run ./internal/model/simulate -table -seeds %d`" + `.

Each rule of ` + "`batcher.Rules`" + ` was taken away, alone, and the rest of the system was run from
the seeds %d to %d in a world with the troubles named; below the rules, so was each duty
that the core leaves to whoever drives or configures it. "Failing" is how many of those runs
broke a promise; the checks are the promises that were broken first, the most frequent
first, each with its number of runs and its first seed. To see such a run step by step:

    go run ./internal/model/simulate -rules -Hold -from SEED -trace

With every rule in place, the same seeds in the same worlds fail %d times.

The seeds are those of the day the table was made: a change of the core or of the model
may lead them elsewhere.

A small number is no sign of a weak rule: a world of sixteen events lasts seven minutes,
and what goes wrong once in a thousand of those goes wrong every week.

| taken away | troubles | failing | broken promises |
| --- | --- | ---: | --- |
`

// WriteTable runs every knob's absence over n seeds and writes the table.
// Progress, when not nil, is told of each rule.
func WriteTable(out io.Writer, from, n uint64, progress func(rule string)) error {
	var rows strings.Builder
	failing := 0
	kept := map[Config]int{} // failing with all rules, by world
	for _, k := range Knobs() {
		if progress != nil {
			progress(k.Name)
		}
		with, without := k.Worlds()
		if _, known := kept[with]; !known {
			kept[with] = Seeds(with, from, n).Failed
			failing += kept[with]
		}
		s := Seeds(without, from, n)
		name := k.Name
		if k.Duty != "" {
			name += ": " + k.Duty
		}
		fmt.Fprintf(&rows, "| %s | %s | %d | %v |\n", name, troubles(with), s.Failed, s)
	}
	_, err := fmt.Fprintf(out, tableHead+"%s", n, from, from+n-1, failing, rows.String())
	return err
}

// troubles names the world a rule is tried in.
func troubles(cfg Config) string {
	s := "all"
	if cfg.Rates != AllFaults() {
		s = strings.ReplaceAll(cfg.Rates.String(), ",", ", ")
		if strings.Count(s, ",") > 12 {
			s = "all, some more often"
		}
	}
	if d := DefaultConfig(); cfg.Events != d.Events || cfg.Messages != d.Messages {
		s += fmt.Sprintf("; %d events of %d messages", cfg.Events, cfg.Messages)
	}
	return s
}

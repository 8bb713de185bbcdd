// Command simulate runs the model of the whole system over many seeds, one at a
// time on one thread, and says which promises were broken.
//
//	go run ./internal/model/simulate -seeds 100000
//	go run ./internal/model/simulate -from 39 -rules -StrayWait -trace
//	go run ./internal/model/simulate -rules -StrayWait -shrink -seeds 2000
//	go run ./internal/model/simulate -each -seeds 1000
//	go run ./internal/model/simulate -table -seeds 4000 > internal/model/RULES.md
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"kafka-kustomer/internal/model"
)

func main() {
	debug.SetGCPercent(400) // runs are short and leave nothing behind
	failed, err := simulate()
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

func simulate() (failed bool, err error) {
	seeds := flag.Uint64("seeds", 10000, "how many seeds to run")
	from := flag.Uint64("from", 1, "the first seed")
	faults := flag.String("faults", "", "all, none, or names with commas between; -Name takes one away (default: all, or those of the first rule taken away)")
	rules := flag.String("rules", "all", "all, or -Name,-Name: all but those")
	trace := flag.Bool("trace", false, "run the first seed only, and print every step")
	shrink := flag.Bool("shrink", false, "drop faults and events while some seed still fails, and print the shortest run")
	each := flag.Bool("each", false, "each fault alone")
	table := flag.Bool("table", false, "take each rule away in turn and print the table of RULES.md")
	flag.Parse()

	if *table {
		return false, model.WriteTable(os.Stdout, *from, *seeds, func(rule string) { fmt.Fprintln(os.Stderr, rule) })
	}
	cfg, err := config(*faults, *rules)
	if err != nil {
		return false, err
	}
	switch {
	case *trace:
		return printRun(cfg, *from), nil
	case *shrink:
		return shrinkFirst(cfg, *from, *seeds), nil
	case *each:
		return eachAlone(cfg, *from, *seeds), nil
	}
	return sweep("seeds", cfg, *from, *seeds), nil
}

func config(faults, rules string) (cfg model.Config, err error) {
	if cfg, err = model.Without(rules); err == nil && faults != "" {
		cfg.Rates, err = model.ParseFaults(faults)
	}
	return cfg, err
}

func sweep(label string, cfg model.Config, from, n uint64) (failed bool) {
	began := time.Now()
	s := model.Seeds(cfg, from, n)
	fmt.Printf("%-16s %7d runs %6d failing  %5.0f runs/s  %4.1f M steps  %v\n",
		label, s.Runs, s.Failed, float64(s.Runs)/time.Since(began).Seconds(), float64(s.Steps)/1e6, s)
	return s.Failed > 0
}

func eachAlone(cfg model.Config, from, n uint64) (failed bool) {
	for _, f := range model.AllFaults().Faults() {
		cfg.Rates = model.Only(f)
		failed = sweep(f.String(), cfg, from, n) || failed
	}
	return failed
}

func printRun(cfg model.Config, seed uint64) (failed bool) {
	r := model.Run(cfg, seed, true)
	for _, line := range r.Trace {
		fmt.Println(line)
	}
	fmt.Printf("seed %d, %v\n", seed, cfg)
	if r.Violation == nil {
		fmt.Printf("no promise broken; at rest at tick %d\n", r.End)
		return false
	}
	fmt.Println(r.Violation)
	return true
}

func shrinkFirst(cfg model.Config, from, n uint64) (failed bool) {
	for seed := from; seed < from+n; seed++ {
		if r := model.Run(cfg, seed, false); r.Violation != nil {
			small, best := model.Shrink(cfg, r.Violation.Check, from, n)
			return printRun(small, best)
		}
	}
	fmt.Printf("none of %d seeds fails\n", n)
	return false
}

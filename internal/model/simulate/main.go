// Command simulate runs the model of the whole system over many seeds, one at a
// time on one thread, and says which promises were broken.
//
//	go run ./internal/model/simulate -seeds 100000
//	go run ./internal/model/simulate -from 39 -rules -StrayWait -trace
//	go run ./internal/model/simulate -rules -StrayWait -shrink -seeds 2000
//	go run ./internal/model/simulate -each -seeds 1000
//	go run ./internal/model/simulate -scene brake -safety
//	go run ./internal/model/simulate -table -seeds 3000 > internal/model/RULES.md
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
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
	faults := flag.String("faults", "", "all, none, or names with commas between; -Name takes one away, Name=.2 sets its rate (default: all, or those of the first rule taken away)")
	rules := flag.String("rules", "all", "all, or -Name,-Name: all but those")
	safety := flag.Bool("safety", false, "trouble never ends; check only what must never happen")
	trace := flag.Bool("trace", false, "run the first seed only, and print every step")
	shrink := flag.Bool("shrink", false, "drop faults and events while some seed still fails, and print the shortest run")
	scene := flag.String("scene", "", "a world of one kind of trouble, or \"each\" of them")
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
	scenes := []model.Scene{{Name: "seeds", Config: cfg}}
	if *scene != "" {
		if scenes, err = scenesOf(*scene); err != nil {
			return false, err
		}
		cfg = scenes[0].Config
	}
	if *safety {
		cfg = cfg.Endless()
	}
	switch {
	case *trace:
		return printRun(cfg, *from), nil
	case *shrink:
		return shrinkFirst(cfg, *from, *seeds), nil
	case *each:
		return eachAlone(cfg, *from, *seeds), nil
	}
	for _, s := range scenes {
		if *safety {
			s.Config = s.Config.Endless()
		}
		failed = sweep(s.Name, s.Config, *from, *seeds) || failed
	}
	return failed, nil
}

// scenesOf returns the scene of a name, or each.
func scenesOf(name string) (list []model.Scene, err error) {
	var names []string
	for _, s := range model.Scenes() {
		names = append(names, s.Name)
		if s.Name == name || name == "each" {
			list = append(list, s)
		}
	}
	if list == nil {
		err = fmt.Errorf("scene %q is not known: it is each, or one of %s", name, strings.Join(names, ", "))
	}
	return list, err
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
	fmt.Printf("%-16s %7d runs %6d failing %4d given up  %5.0f runs/s  %4.1f M steps  %v\n",
		label, s.Runs, s.Failed, s.Seen.UsedUp, float64(s.Runs)/time.Since(began).Seconds(), float64(s.Steps)/1e6, s)
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

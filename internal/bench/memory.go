package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
)

// scenario is a situation in which memory could grow without end. Its name is
// that of a sub-benchmark of BenchmarkMemory in cmd/kafka-kustomer, which is the
// whole program; broker and API are the process of [serveScenario].
type scenario struct {
	name, title string
}

var scenarios = []scenario{
	{"stuck", "every PUT is a 503, 1,000,000 events"},
	{"hanging", "no PUT is answered, 1,000,000 events"},
	{"healthy", "1,000,000 events, 50,000 messages"},
	{"hot", "one message, 1,000,000 changes"},
	{"tiny", "300,000 tiny events, a message each"},
	{"large", "300 events of 1 MiB"},
	{"large-stuck", "300 events of 1 MiB, every PUT a 503"},
	{"zstd", "1 KiB events in 8 MiB batches, zstd"},
	{"zstd-stuck", "the same, every PUT a 503"},
	{"zstdtiny", "tiny events in 5 MiB batches, zstd"},
	{"zstdtiny-stuck", "the same, every PUT a 503"},
}

// benchMemory shows what each scenario holds. The processes are test binaries,
// because only from within can the runtime be asked; what testing adds is code.
//
// With only, it shows that scenario, or with "held" the core's events.
func benchMemory(ctx context.Context, out io.Writer, dir, only string) error {
	if _, err := backlogOf(only); err != nil && only != "" && only != "held" {
		return err
	}
	const pkg = "cmd/kafka-kustomer"
	binary := filepath.Join(dir, "run.test")
	if _, _, err := runIn(ctx, "", "go", "test", "-c", "-o", binary, module+"/"+pkg); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%-40s %8s %8s %9s %7s %8s  %s\n", "Memory, MiB", "peak RSS", "heap", "delivered", "open", "charged", "polling")
	for _, s := range scenarios {
		if only != "" && only != s.name {
			continue
		}
		name := "BenchmarkMemory/" + s.name
		stdout, _, err := runIn(ctx, "", binary, "-test.run=^$", "-test.bench="+pattern(name), "-test.benchtime=1x")
		if err != nil {
			return err
		}
		v, err := parseBench(stdout, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-40s %8.0f %8.0f %9.0f %7.0f %8.1f  %s\n", s.title, v["peak-MiB"], v["heap-MiB"],
			v["delivered"], v["open"], v["charged-MiB"], polling(v))
	}
	if only == "" || only == "held" {
		showHeld(out)
	}
	return nil
}

func polling(v map[string]float64) string {
	switch {
	case v["through"] > 0:
		return fmt.Sprintf("done in %.0f s", v["seconds"])
	case v["stopped"] > 0:
		return "stopped by credit"
	}
	return fmt.Sprintf("going on after %.0f s", v["seconds"])
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

const module = "kafka-kustomer"

// part is a Go benchmark of one package.
type part struct {
	name       string
	pkg        string // below the module
	bench      string // as printed, without the number of processors
	iterations int    // enough for a second or so, beside which a start is nothing
	events     int    // in one iteration
}

var parts = []part{
	{"core, fetch to commit, 50,000 messages", "batcher", "BenchmarkCore/messages=50000", 2_000_000, 1},
	{"core, fetch to commit, 50 hot messages", "batcher", "BenchmarkCore/messages=50", 2_000_000, 1},
	{"copy a polled record", "consumer", "BenchmarkCollect", 2_000, 1000},
	{"decode an event", "schemas", "BenchmarkDecode", 1_000_000, 1},
	{"transcode an Avro event of 328 bytes", "schemas/avro", "BenchmarkTranscode", 500_000, 1},
	{"  the same by goavro: maps, then JSON", "schemas/avro", "BenchmarkGoavro", 50_000, 1},
	{"read that event from a topic, as JSON", "schemas/formats", "BenchmarkDecode/json", 500_000, 1},
	{"  and as Avro", "schemas/formats", "BenchmarkDecode/avro", 500_000, 1},
	{"encode a request, per item", "sink", "BenchmarkAppendBody100", 100_000, 100},
	{"encode a result event, per item", "schemas", "BenchmarkResults100", 50_000, 100},
}

// cost is what one event cost in one run.
type cost struct{ micros, allocs, bytes float64 }

func benchParts(ctx context.Context, out io.Writer, dir string, runs int) error {
	fmt.Fprintf(out, "\n%-40s %24s %14s %12s\n", "Parts", "processor µs/event", "allocs/event", "bytes/event")
	for _, p := range parts {
		costs, err := p.measure(ctx, dir, runs)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-40s %24s %14.2f %12.0f\n", p.name, spread(costs, "%.3f", func(c cost) float64 { return c.micros }),
			median(costs, func(c cost) float64 { return c.allocs }), median(costs, func(c cost) float64 { return c.bytes }))
	}
	return nil
}

func (p part) measure(ctx context.Context, dir string, runs int) ([]cost, error) {
	binary := filepath.Join(dir, strings.ReplaceAll(p.pkg, "/", "-")+".test")
	if _, _, err := runIn(ctx, "", "go", "test", "-c", "-o", binary, module+"/"+p.pkg); err != nil {
		return nil, err
	}
	costs := make([]cost, runs)
	for i := range costs {
		stdout, used, err := runIn(ctx, dir, binary, "-test.run=^$", "-test.bench="+pattern(p.bench),
			"-test.benchmem", "-test.benchtime="+strconv.Itoa(p.iterations)+"x")
		if err != nil {
			return nil, err
		}
		perOp, err := parseBench(stdout, p.bench)
		if err != nil {
			return nil, err
		}
		n := float64(p.events)
		costs[i] = cost{
			micros: float64(used.cpu.Nanoseconds()) / 1e3 / n / float64(p.iterations),
			allocs: perOp["allocs/op"] / n, bytes: perOp["B/op"] / n,
		}
	}
	return costs, nil
}

// pattern matches a benchmark and nothing else, level by level.
func pattern(name string) string {
	levels := strings.Split(name, "/")
	for i, l := range levels {
		levels[i] = "^" + regexp.QuoteMeta(l) + "$"
	}
	return strings.Join(levels, "/")
}

// parseBench finds the line of a benchmark and returns its values by unit.
func parseBench(stdout []byte, name string) (map[string]float64, error) {
	lines := bufio.NewScanner(bytes.NewReader(stdout))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 4 || f[0] != name && !isWithProcessors(f[0], name) {
			continue
		}
		values := make(map[string]float64)
		for i := 2; i+1 < len(f); i += 2 {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil {
				return nil, fmt.Errorf("benchmark line %q: %w", lines.Text(), err)
			}
			values[f[i+1]] = v
		}
		return values, nil
	}
	return nil, fmt.Errorf("no benchmark %s ran; is it still called that? The output was:\n%s", name, stdout)
}

// isWithProcessors is for the "-8" that is added to a name where there are eight.
func isWithProcessors(printed, name string) bool {
	number, ok := strings.CutPrefix(printed, name+"-")
	_, err := strconv.Atoi(number)
	return ok && err == nil
}

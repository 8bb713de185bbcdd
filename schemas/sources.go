package schemas

import (
	"cmp"
	"slices"

	"kafka-kustomer/batcher"
)

// source is a partition with its records, as runs of offsets in order.
type source struct {
	*batcher.Assignment
	runs []run
}

// run is offsets without a hole, first and last included. The partition is its number
// among those of the event: comparing names for each record would cost more than all
// the rest.
type run struct {
	partition   int
	first, last int64
}

// sources returns the positions of all records, the partitions in the order in which
// they appear.
func sources(list []entry) []source {
	partitions, runs := records(list)
	slices.SortFunc(runs, func(a, b run) int {
		if a.partition != b.partition {
			return cmp.Compare(a.partition, b.partition)
		}
		return cmp.Compare(a.first, b.first)
	})
	runs = joined(runs)
	for begin := 0; begin < len(runs); {
		p, end := runs[begin].partition, begin
		for end < len(runs) && runs[end].partition == p {
			end++
		}
		partitions[p].runs = runs[begin:end]
		begin = end
	}
	return slices.DeleteFunc(partitions, func(s source) bool { return len(s.runs) == 0 })
}

// records returns each record as a run, and the partitions, whose runs are not set
// yet.
func records(list []entry) (partitions []source, runs []run) {
	n := 0
	for i := range list {
		n += len(list[i].events)
	}
	runs = make([]run, 0, n)
	for i := range list {
		a := list[i].item.Assignment
		p := slices.IndexFunc(partitions, func(b source) bool { return a == b.Assignment })
		if p < 0 {
			// Two assignments may be tenures of one partition.
			p = slices.IndexFunc(partitions, func(b source) bool { return a.Topic == b.Topic && a.Partition == b.Partition })
		}
		if p < 0 {
			p = len(partitions)
			partitions = append(partitions, source{Assignment: a})
		}
		for _, ev := range list[i].events {
			runs = append(runs, run{p, ev.Offset, ev.Offset})
		}
	}
	return partitions, runs
}

// joined makes one run of those that follow each other without a hole. The runs are
// in order, and are used up.
func joined(runs []run) []run {
	out := runs[:0]
	for _, r := range runs {
		if n := len(out) - 1; n >= 0 && out[n].partition == r.partition && r.first <= out[n].last+1 {
			out[n].last = max(out[n].last, r.last)
		} else {
			out = append(out, r)
		}
	}
	return out
}

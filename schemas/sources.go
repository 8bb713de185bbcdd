package schemas

import (
	"cmp"
	"slices"
	"strconv"

	"kafka-kustomer/batcher"
)

// source is the position of one record. The partition is its number among those
// of the event: comparing names for each record would cost more than all the
// rest.
type source struct {
	partition int
	offset    int64
}

// appendSources appends the positions of all records, as runs of offsets.
func appendSources(dst []byte, list []entry) []byte {
	partitions, records := sources(list)
	dst = append(dst, `,"sources":[`...)
	for i := 0; i < len(records); {
		if i > 0 {
			dst = append(dst, ',')
		}
		p := records[i].partition
		dst = appendString(append(dst, `{"topic":`...), partitions[p].Topic)
		dst = strconv.AppendInt(append(dst, `,"partition":`...), int64(partitions[p].Partition), 10)
		dst = append(dst, `,"ranges":[`...)
		for first := i; i < len(records) && records[i].partition == p; {
			if i > first {
				dst = append(dst, ',')
			}
			dst, i = appendRange(dst, records, i)
		}
		dst = append(dst, "]}"...)
	}
	return append(dst, ']')
}

// appendRange appends the run of offsets that begins at records[i], and returns
// where the next begins.
func appendRange(dst []byte, records []source, i int) ([]byte, int) {
	begin := records[i]
	last := begin.offset
	for i++; i < len(records) && records[i].partition == begin.partition && records[i].offset <= last+1; i++ {
		last = records[i].offset
	}
	dst = strconv.AppendInt(append(dst, '['), begin.offset, 10)
	dst = strconv.AppendInt(append(dst, ','), last, 10)
	return append(dst, ']'), i
}

// sources returns the positions in order of partition and offset, and the
// partitions in the order in which they appear.
func sources(list []entry) (partitions []*batcher.Assignment, records []source) {
	n := 0
	for i := range list {
		n += len(list[i].events)
	}
	records = make([]source, 0, n)
	for i := range list {
		a := list[i].item.Assignment
		p := slices.Index(partitions, a)
		if p < 0 {
			// Two assignments may be tenures of one partition.
			p = slices.IndexFunc(partitions, func(b *batcher.Assignment) bool { return a.Topic == b.Topic && a.Partition == b.Partition })
		}
		if p < 0 {
			p = len(partitions)
			partitions = append(partitions, a)
		}
		for _, ev := range list[i].events {
			records = append(records, source{p, ev.Offset})
		}
	}
	slices.SortFunc(records, func(a, b source) int {
		if a.partition != b.partition {
			return cmp.Compare(a.partition, b.partition)
		}
		return cmp.Compare(a.offset, b.offset)
	})
	return partitions, records
}

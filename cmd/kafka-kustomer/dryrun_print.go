package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/dryrun"
)

// printer prints what a dry run shows, for people or as JSON lines. The first error
// of writing stays in err.
type printer struct {
	out         io.Writer
	asJSON, raw bool
	ofFile      bool // offsets are line numbers
	requests    int
	err         error
}

func (d *rehearsal) printer(out io.Writer) *printer {
	return &printer{out: out, asJSON: d.asJSON, raw: d.raw, ofFile: d.file != ""}
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format, args...)
	}
}

// line prints one line of JSON.
func (p *printer) line(v any) {
	if p.err == nil {
		p.err = writeJSON(p.out, v)
	}
}

func (p *printer) show(e dryrun.Event) {
	if p.asJSON {
		p.showJSON(e)
		return
	}
	switch e := e.(type) {
	case dryrun.Request:
		p.request(e)
	case dryrun.Skipped:
		p.printf("skipped %s: %s\n\n", p.at(e.Origin), e.Reason.Text)
	case dryrun.DeadLetter:
		p.printf("dead letter %s: %s: %s\n\n", p.at(e.Origin), e.Reason.Code, e.Reason.Text)
	case dryrun.Note:
		p.printf("note: %s\n\n", e.Text)
	}
}

func (p *printer) note(text string) { p.show(dryrun.Note{Text: text}) }

func (p *printer) request(r dryrun.Request) {
	p.requests++
	records := 0
	for _, it := range r.Items {
		for _, o := range it.From {
			if o.Change <= 1 { // the others are of a record that is counted
				records++
			}
		}
	}
	p.printf("==== request %d: %s of %s, %d bytes, batch %s, closed by %s\n", p.requests,
		count(len(r.Items), "item"), count(records, "record"), len(r.Body), r.BatchID, r.Closed)
	p.printf("%s %s\n", r.Method, r.URL)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		p.printf("%s: %s\n", name, strings.Join(r.Header[name], ", "))
	}
	body := r.Body
	if !p.raw {
		var indented bytes.Buffer
		if json.Indent(&indented, body, "", "  ") == nil {
			body = indented.Bytes()
		}
	}
	p.printf("\n%s\n\n", body)
	for i, it := range r.Items {
		from := make([]string, len(it.From))
		for j, o := range it.From {
			from[j] = p.at(o)
		}
		p.printf("[%d] %s from %s\n", i, it.MessageID, strings.Join(from, ", "))
	}
	p.printf("\n")
}

// at is "topic/partition@offset (event)", or "file:line (event)".
func (p *printer) at(o dryrun.Origin) string {
	place := fmt.Sprintf("%s/%d@%d", o.Topic, o.Partition, o.Offset)
	if p.ofFile {
		place = fmt.Sprintf("%s:%d", o.Topic, o.Offset)
	}
	if o.Changes > 0 {
		place += fmt.Sprintf(" change %d of %d", o.Change, o.Changes)
	}
	if o.EventID != "" {
		place += " (" + o.EventID + ")"
	}
	return place
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (p *printer) summary(t dryrun.Totals) {
	if p.asJSON {
		p.line(summaryLine{
			"summary", t.Records, t.Sent, t.Skipped, t.DeadLetters, t.Items, t.Requests,
			ratio(t.Sent, t.Items), ratio(t.Items, t.Requests), t.RecordBytes, t.BodyBytes,
		})
		return
	}
	p.printf("%s of %d bytes: %d would be sent, %d skipped, %d dead-lettered\n", count(t.Records, "record"), t.RecordBytes, t.Sent, t.Skipped, t.DeadLetters)
	if t.Requests == 0 {
		p.printf("no request; nothing was sent, written or committed\n")
		return
	}
	p.printf("%s of %d bytes with %s: %.2f records an item, %.1f items a request\n", count(t.Requests, "request"), t.BodyBytes, count(t.Items, "item"), ratio(t.Sent, t.Items), ratio(t.Items, t.Requests))
	p.printf("nothing was sent, written or committed\n")
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// The lines of --json. Kind tells them apart.
type (
	requestLine struct {
		Kind    string      `json:"kind"` // "request"
		Method  string      `json:"method"`
		URL     string      `json:"url"`
		Headers http.Header `json:"headers"`
		Body    string      `json:"body"` // byte for byte
		Batch   string      `json:"batch"`
		Closed  string      `json:"closed_by"`
		Items   []itemLine  `json:"items"`
	}
	itemLine struct {
		Message string       `json:"message_id"`
		Records []recordLine `json:"records"`
	}
	recordLine struct {
		Topic     string `json:"topic,omitempty"`
		Partition *int32 `json:"partition,omitempty"`
		Offset    *int64 `json:"offset,omitempty"`
		File      string `json:"file,omitempty"`
		Line      int64  `json:"line,omitempty"`
		Event     string `json:"event_id,omitempty"`
		// Which of the record's changes, from 1, of so many; left out where it has one.
		Change  int `json:"change,omitempty"`
		Changes int `json:"changes,omitempty"`
	}
	refusedLine struct {
		Kind   string     `json:"kind"` // "skipped" or "dead_letter"
		Record recordLine `json:"record"`
		Code   string     `json:"code"`
		Reason string     `json:"reason"`
	}
	noteLine struct {
		Kind string `json:"kind"` // "note"
		Text string `json:"text"`
	}
	summaryLine struct {
		Kind            string  `json:"kind"` // "summary"
		Records         int     `json:"records"`
		Sent            int     `json:"sent"`
		Skipped         int     `json:"skipped"`
		DeadLetters     int     `json:"dead_letters"`
		Items           int     `json:"items"`
		Requests        int     `json:"requests"`
		RecordsPerItem  float64 `json:"records_per_item"`
		ItemsPerRequest float64 `json:"items_per_request"`
		RecordBytes     int     `json:"record_bytes"`
		BodyBytes       int     `json:"body_bytes"`
	}
)

func (p *printer) showJSON(e dryrun.Event) {
	switch e := e.(type) {
	case dryrun.Request:
		l := requestLine{"request", e.Method, e.URL, e.Header, string(e.Body), e.BatchID, e.Closed, make([]itemLine, len(e.Items))}
		for i, it := range e.Items {
			l.Items[i].Message = it.MessageID
			for _, o := range it.From {
				l.Items[i].Records = append(l.Items[i].Records, p.record(o))
			}
		}
		p.line(l)
	case dryrun.Skipped:
		p.refused("skipped", e.Origin, e.Reason)
	case dryrun.DeadLetter:
		p.refused("dead_letter", e.Origin, e.Reason)
	case dryrun.Note:
		p.line(noteLine{"note", e.Text})
	}
}

func (p *printer) refused(kind string, o dryrun.Origin, why batcher.Reason) {
	p.line(refusedLine{kind, p.record(o), why.Code, why.Text})
}

func (p *printer) record(o dryrun.Origin) recordLine {
	l := recordLine{Event: o.EventID, Change: o.Change, Changes: o.Changes}
	if p.ofFile {
		l.File, l.Line = o.Topic, o.Offset
	} else {
		l.Topic, l.Partition, l.Offset = o.Topic, &o.Partition, &o.Offset
	}
	return l
}

package probe

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// askCustomAndNull leaves one attribute out and sends null in another, and null
// in subject, all in one write.
func (p *prober) askCustomAndNull(ctx context.Context) error {
	patch, custom := members{}, p.before.custom()
	if a := p.cfg.Attributes; len(a) > 0 {
		// What is left out was set by the first write.
		patch["custom"] = custom.without(second(a)).with(members{a[0]: null}).raw()
	}
	if p.subject {
		patch["subject"] = null
	}
	f, no, err := p.change(ctx, patch)
	if err != nil {
		return err
	}
	if no != nil || f.bad > 0 {
		return p.nullRefused(ctx, no)
	}
	s, err := p.readWhen(ctx, func(s state) bool {
		return !s.has("subject") && (len(p.cfg.Attributes) == 0 || !s.custom().has(p.cfg.Attributes[0]))
	})
	if err != nil {
		return err
	}
	if p.subject {
		p.answer(qNull, clears(s.members, "subject"), "null sent in subject, read back as: %s", kindOf(s.members["subject"]))
	}
	if a := p.cfg.Attributes; len(a) > 0 {
		c := s.custom()
		p.answer(qNullCustom, clears(c, a[0]), "null sent in custom.%s, read back as: %s", a[0], kindOf(c[a[0]]))
		p.judgeCustom(c)
	}
	return nil
}

// second is the attribute that is left out, if there is one.
func second(attributes []string) string {
	if len(attributes) < 2 {
		return ""
	}
	return attributes[1]
}

func clears(m members, name string) Verdict {
	if m.has(name) {
		return nullIgnored
	}
	return nullClears
}

// judgeCustom looks for the attribute that the last write left out.
func (p *prober) judgeCustom(c members) {
	name := second(p.cfg.Attributes)
	if name == "" {
		return
	}
	verdict, is := customReplaced, "gone"
	if c.has(name) {
		verdict, is = customMerged, "still there"
	}
	p.answer(qCustom, verdict, "custom was written without %s, which is %s", name, is)
}

// nullRefused asks for custom alone, when null spoiled the write for both.
func (p *prober) nullRefused(ctx context.Context, no *refusal) error {
	how := "the item failed"
	if no != nil {
		how = no.String()
	}
	if p.subject {
		p.answer(qNull, nullRefused, "null in subject, with null in custom if attributes were named: %s", how)
	}
	a := p.cfg.Attributes
	if len(a) == 0 {
		return nil
	}
	p.answer(qNullCustom, nullRefused, "null in custom, with null in subject if the message has one: %s", how)
	patch := members{"custom": p.before.custom().without(second(a)).with(members{a[0]: quote(p.value())}).raw()}
	if _, no, err := p.change(ctx, patch); err != nil || no != nil {
		return err
	}
	s, err := p.read(ctx)
	if err == nil {
		p.judgeCustom(s.custom())
	}
	return err
}

// askRepeatedID has the message in one request twice.
func (p *prober) askRepeatedID(ctx context.Context) error {
	first, last := p.value(), p.value()
	f, no, err := p.do(ctx, p.item(p.scalar(first)), p.item(p.scalar(last)))
	if err != nil {
		return err
	}
	if no != nil || f.bad > 0 {
		if no == nil {
			no = &refusal{status: http.StatusOK, code: "item failed"}
		}
		p.answer(qRepeatedID, repeatRefused, "%s", no)
		return nil
	}
	s, err := p.read(ctx)
	switch {
	case err != nil:
	case p.shows(s, last):
		p.answer(qRepeatedID, repeatLast, "accepted; the second item's value stands")
	case p.shows(s, first):
		p.answer(qRepeatedID, repeatFirst, "accepted; the first item's value stands")
	default:
		p.answer(qRepeatedID, repeatNone, "accepted; neither item's value stands")
	}
	return err
}

// askAudit sets modifiedAt to an hour before what it was.
func (p *prober) askAudit(ctx context.Context) error {
	was, err := time.Parse(time.RFC3339, p.before.text("modifiedAt"))
	if err != nil {
		p.unknown(qAudit, "the message shows no modifiedAt that could be put back")
		return nil
	}
	earlier := quote(was.Add(-time.Hour).UTC().Format("2006-01-02T15:04:05.000Z"))
	f, no, err := p.change(ctx, members{"modifiedAt": earlier})
	if err != nil {
		return err
	}
	if no != nil || f.bad > 0 {
		if no == nil {
			no = &refusal{status: http.StatusOK, code: "item failed"}
		}
		p.answer(qAudit, auditRefused, "modifiedAt: %s", no)
		return nil
	}
	s, err := p.read(ctx)
	if err != nil {
		return err
	}
	verdict, is := auditIgnored, "it shows another time"
	if same(s.members["modifiedAt"], earlier) {
		verdict, is = auditWritten, "it shows what was written"
	}
	p.answer(qAudit, verdict, "modifiedAt accepted; %s", is)
	return nil
}

// askObjects writes meta without one of its members, and without one inside
// another. What merges does not notice; what replaces gets all of it back.
func (p *prober) askObjects(ctx context.Context) error {
	meta := p.before.object("meta")
	out, inner, innerOut := chooseObjects(meta)
	if out == "" && inner == "" {
		p.unknown(qObjects, "the message has no meta with two members, or with an object in it; make one with, say, {\"a\":1,\"b\":{\"c\":1,\"d\":2}}")
		return nil
	}
	less := meta
	if inner != "" {
		less = less.with(members{inner: meta.object(inner).without(innerOut).raw()})
	}
	if out != "" {
		less = less.without(out)
	}
	f, no, err := p.change(ctx, members{"meta": less.raw()})
	switch {
	case err != nil:
		return err
	case no != nil:
		p.unknown(qObjects, fmt.Sprintf("a write of meta is refused: %s", no))
		return nil
	case f.bad > 0:
		p.unknown(qObjects, "a write of meta fails")
		return nil
	}
	s, err := p.read(ctx)
	if err != nil {
		return err
	}
	p.judgeObjects(s.object("meta"), out, inner, innerOut)
	return nil
}

// judgeObjects compares what was left out with what is there.
func (p *prober) judgeObjects(now members, out, inner, innerOut string) {
	kept := out != "" && now.has(out)
	innerKept := inner != "" && now.object(inner).has(innerOut)
	verdict := objectsReplaced
	switch {
	case innerKept:
		verdict = objectsDeep
	case kept && inner != "":
		verdict = objectsShallow
	case kept:
		verdict = objectsMerged
	case out == "":
		verdict = objectsNotDeep
	}
	is := map[bool]string{true: "still there", false: "gone"}
	text := "meta was written"
	if out != "" {
		text += " without a member, which is " + is[kept]
	}
	if inner != "" {
		text += "; without a member of an object in it, which is " + is[innerKept]
	}
	p.answer(qObjects, verdict, "%s", text)
}

// chooseObjects picks a member of meta to leave out, and an object in it with a
// member to leave out; empty where there is none. Values that are null can't be
// told from gone.
func chooseObjects(meta members) (out, inner, innerOut string) {
	for _, name := range slices.Sorted(maps.Keys(meta)) {
		value := meta[name]
		if absent(value) {
			continue
		}
		if inner == "" && value.Kind() == jsontext.KindBeginObject {
			if innerOut = firstPresent(meta.object(name)); innerOut != "" {
				inner = name
				continue
			}
		}
		if out == "" {
			out = name
		}
	}
	return out, inner, innerOut
}

func firstPresent(m members) string {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m.has(name) {
			return name
		}
	}
	return ""
}

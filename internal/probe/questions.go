package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// step asks something, for about so many requests.
type step struct {
	need int
	ask  func(context.Context) error
}

// steps are in an order: what everything else rests on comes first, what takes
// something away from the message last, just before it is put back.
func (p *prober) steps() []step {
	if p.blind {
		return []step{{4, p.askUnknownID}, {1, p.askEmpty}}
	}
	return []step{
		{5, p.askWrite},
		{4, p.askCustomAndNull},
		{4, p.askUnknownID},
		{3, p.askNullElsewhere},
		{3, p.askUnknownMember},
		{1, p.askEmpty},
		{4, p.askRepeatedID},
		{4, p.askAudit},
		{0, p.askOrder},
		{objectRequests, p.askObjects},
	}
}

// objectRequests are kept for the last step by the one before it.
const objectRequests = 4

// askAll takes the steps until one fails. One that there are no requests left for
// is left out.
func (p *prober) askAll(ctx context.Context) (short error) {
	for _, s := range p.steps() {
		if p.client.limit-p.client.used < s.need {
			short = errBudget
			continue
		}
		if err := s.ask(ctx); err != nil {
			return err
		}
	}
	return short
}

// change writes to the message.
func (p *prober) change(ctx context.Context, patch members) (fate, *refusal, error) {
	return p.do(ctx, p.item(patch))
}

// item is a patch of the message, noted as touched before it is sent.
func (p *prober) item(patch members) members {
	for name := range patch {
		p.touched[name] = true
	}
	return patch.with(members{"id": quote(p.cfg.Message)})
}

// ghostItem is the same for a message that can't exist: as an object id it would
// have been made in the year 2106.
func (p *prober) ghostItem(patch members) members {
	return patch.with(members{"id": quote(p.ghost)})
}

// value is a text that was never written before.
func (p *prober) value() string {
	p.values++
	return fmt.Sprintf("kafka-kustomer probe %s %d", p.nonce, p.values)
}

// scalar is a patch of the one field that most questions write.
func (p *prober) scalar(text string) members {
	if len(p.cfg.Attributes) == 0 {
		return members{"subject": quote(text)}
	}
	return members{"custom": p.before.custom().with(members{p.cfg.Attributes[0]: quote(text)}).raw()}
}

func (p *prober) shows(s state, text string) bool {
	if len(p.cfg.Attributes) == 0 {
		return s.is("subject", text)
	}
	return s.custom().is(p.cfg.Attributes[0], text)
}

// read shows the message.
func (p *prober) read(ctx context.Context) (state, error) {
	r, err := p.client.get(ctx, "/v1/messages/"+p.cfg.Message)
	if err != nil {
		return state{}, err
	}
	if r.status != http.StatusOK {
		return state{}, fmt.Errorf("reading the message was answered %s", readRefusal(r))
	}
	return readState(r.body)
}

// readWhen reads, once more if what is expected is not there yet: then it is late
// and not missing.
func (p *prober) readWhen(ctx context.Context, expected func(state) bool) (state, error) {
	s, err := p.read(ctx)
	if err != nil || expected(s) {
		return s, err
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return s, err
	}
	return p.read(ctx)
}

// askWrite makes the first write: without it nothing else can be asked.
func (p *prober) askWrite(ctx context.Context) error {
	first, custom := p.value(), members{}
	patch := p.scalar(first)
	for _, name := range p.cfg.Attributes {
		custom[name] = quote(first)
	}
	if len(custom) > 0 {
		patch["custom"] = p.before.custom().with(custom).raw()
	}
	if p.subject {
		patch["subject"] = quote(first)
	}
	f, no, err := p.change(ctx, patch)
	switch {
	case err != nil:
		return err
	case no != nil && no.status == http.StatusForbidden:
		return noWrite(no)
	case no != nil:
		return fmt.Errorf("the first write was refused (%s): are the attributes %s configured for messages in this org?", no, strings.Join(p.cfg.Attributes, ", "))
	case f.bad > 0:
		return errors.New("the first write failed as an item: name a message without other custom attributes, which are written with it")
	}
	shown := func(s state) bool {
		return p.shows(s, first) && (!p.subject || s.is("subject", first)) &&
			!slices.ContainsFunc(p.cfg.Attributes, func(a string) bool { return !s.custom().is(a, first) })
	}
	s, err := p.readWhen(ctx, shown)
	if err == nil && !shown(s) {
		err = errors.New("the first write is complete, but the message does not show it two seconds later: nothing can be learned from what it shows")
	}
	return err
}

// askNullElsewhere sends null where the documentation has none, for a member that
// the message does not have: whatever happens, nothing is lost.
func (p *prober) askNullElsewhere(ctx context.Context) error {
	name := p.lacking()
	if name == "" {
		p.unknown(qNullElsewhere, "the message has a value in every member that could be tried")
		return nil
	}
	f, no, err := p.change(ctx, members{name: null})
	switch {
	case err != nil:
		return err
	case no != nil:
		p.answer(qNullElsewhere, nullRefused, "%s: %s", name, no)
	case f.bad > 0:
		p.answer(qNullElsewhere, nullFails, "%s: accepted, then the item failed", name)
	default:
		p.answer(qNullElsewhere, nullTaken, "%s: accepted; the message had none, so whether it clears was not tried", name)
	}
	return nil
}

// lacking is a member without a value for which null is not documented.
func (p *prober) lacking() string {
	for _, name := range []string{"errorAt", "error", "size", "related"} {
		if !p.before.has(name) {
			return name
		}
	}
	return ""
}

// unknownMember is a member that does not exist.
const unknownMember = "kafkaKustomerProbe"

// askUnknownMember sends it. An org that keeps it is sent null for it afterwards.
func (p *prober) askUnknownMember(ctx context.Context) error {
	f, no, err := p.change(ctx, members{unknownMember: quote(p.value())})
	switch {
	case err != nil:
		return err
	case no != nil:
		p.answer(qUnknownMember, memberRefused, "%s", no)
	case f.bad > 0:
		p.answer(qUnknownMember, memberFails, "accepted, then the item failed")
	default:
		p.answer(qUnknownMember, memberIgnored, "accepted, and the item succeeded")
	}
	return nil
}

// askEmpty sends no items.
func (p *prober) askEmpty(ctx context.Context) error {
	op, no, err := p.write(ctx)
	switch {
	case err != nil:
		return err
	case no != nil:
		p.answer(qEmpty, emptyRefused, "%s", no)
	default:
		p.answer(qEmpty, emptyTaken, "accepted as an operation of its own")
		p.forget(op) // it changes nothing
	}
	return nil
}

package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// restoreRequests is what the restoration may use beside the questions' budget:
// seven when all goes well, more when the API is in trouble.
const restoreRequests = 40

// restore puts the message back and sees that it is as it was. It runs when the
// questions are over, however they ended, and so has a context of its own.
func (p *prober) restore(ctx context.Context) {
	if len(p.touched) == 0 {
		p.report.Restored = true
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.RestoreTimeout)
	defer cancel()
	p.client.limit = p.client.used + restoreRequests
	p.settle(ctx)
	left, err := p.putBack(ctx)
	if err == nil && len(left) == 0 && p.strays > 0 {
		// A write of unknown outcome may still land on top of what was restored.
		if pause(ctx, p.cfg.StrayWait) == nil {
			left, err = p.putBack(ctx)
		}
	}
	if err != nil {
		p.report.RestoreError = err.Error()
		left = p.touchedNames()
	}
	p.report.Unrestored = left
	p.report.Restored = err == nil && len(left) == 0
}

// settle waits for the operations that were started: one that ends after the
// restoration would undo it. One that can't be followed is a stray.
func (p *prober) settle(ctx context.Context) {
	for _, op := range slices.Clone(p.open) {
		op.since = time.Now() // its time to end counts from here
		for try := 0; ; try++ {
			_, err := p.follow(ctx, op)
			if err == nil {
				break
			}
			if try == 2 || pause(ctx, 5*time.Second) != nil {
				p.strays++
				break
			}
		}
	}
	p.open = nil
}

// putBack writes what differs from before, all in one request and then member by
// member, until nothing differs or nothing more helps. It returns what differs.
func (p *prober) putBack(ctx context.Context) (left []string, err error) {
	for try := 0; ; try++ {
		now, err := p.read(ctx)
		if err != nil {
			if try < tries && pause(ctx, 5*time.Second) == nil {
				continue
			}
			return nil, err
		}
		patch := p.undo(now)
		if len(patch) == 0 || try > 0 && len(p.leftover(now)) == 0 {
			p.others(now)
			return nil, nil
		}
		switch try {
		case 0, 2:
			p.tell(ctx, patch)
		case 1:
			for _, name := range slices.Sorted(maps.Keys(patch)) {
				p.tell(ctx, members{name: patch[name]})
			}
		default:
			p.others(now)
			return p.leftover(now), nil
		}
	}
}

// tell writes a patch of the restoration. What comes of it is read afterwards; only
// trouble of the API is waited out here.
func (p *prober) tell(ctx context.Context, patch members) {
	for try := 1; try <= tries; try++ {
		_, _, err := p.do(ctx, patch.with(members{"id": quote(p.cfg.Message)}))
		var unknown unknownError
		if err == nil || !errors.As(err, &unknown) && !errors.Is(err, errLimited) {
			return
		}
		if pause(ctx, 2*time.Second<<try) != nil {
			return
		}
	}
}

// undo is the patch from a state back to the one before. custom goes as a whole,
// for an org that replaces it.
func (p *prober) undo(now state) members {
	patch := members{}
	for name := range p.touched {
		if name == "custom" || same(now.members[name], p.before.members[name]) {
			continue
		}
		if name == "modifiedAt" && p.has(qAudit, auditRefused, auditIgnored) {
			continue // each write sets it, and it can't be set back
		}
		patch[name] = p.before.members[name]
		if absent(patch[name]) {
			patch[name] = null
		}
	}
	if !p.touched["custom"] {
		return patch
	}
	before, after := p.before.custom(), now.custom()
	if changed := differ(before, after); len(changed) > 0 {
		back := before.with(nil)
		for _, name := range changed {
			if !before.has(name) {
				back[name] = null
			}
		}
		patch["custom"] = back.raw()
	}
	return patch
}

// leftover names what still differs.
func (p *prober) leftover(now state) []string {
	var out []string
	for name := range p.undo(now) {
		switch name {
		case "modifiedAt": // Kustomer's own clock: no value of the user's
		case "custom":
			for _, key := range differ(p.before.custom(), now.custom()) {
				out = append(out, describe("custom."+key, p.before.custom()[key]))
			}
		default:
			out = append(out, describe(name, p.before.members[name]))
		}
	}
	slices.Sort(out)
	return out
}

func describe(name string, was []byte) string {
	return fmt.Sprintf("%s (was: %s)", name, kindOf(was))
}

// touchedNames is what may differ when nobody can say.
func (p *prober) touchedNames() []string {
	var out []string
	for name := range p.touched {
		out = append(out, describe(name, p.before.members[name]))
	}
	slices.Sort(out)
	return out
}

// volatile members change with every update.
var volatile = []string{"updatedAt", "modifiedAt", "modifiedBy", "rev", "custom"}

// others notes what differs though nobody here touched it.
func (p *prober) others(now state) {
	p.report.Others = nil
	for _, name := range differ(p.before.members, now.members) {
		if !slices.Contains(volatile, name) && !p.touched[name] {
			p.report.Others = append(p.report.Others, word(name))
		}
	}
}

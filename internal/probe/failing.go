package probe

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

func noWrite(no *refusal) error {
	return fmt.Errorf("the key may not write messages (%s): give it org.permission.message.update", no)
}

// askUnknownID writes to the message and, in the same request, to one that does
// not exist. The request is as large as the configuration allows: that is asked
// along with it.
func (p *prober) askUnknownID(ctx context.Context) error {
	text := p.value()
	items := []members{p.ghostItem(members{"subject": quote(text)})}
	if !p.blind {
		items = append(items, p.item(p.scalar(text)))
	}
	op, no, err := p.writePadded(ctx, p.cfg.MaxBytes, items...)
	if err == nil && p.judgeSize(no) {
		op, no, err = p.write(ctx, items...)
	}
	var f fate
	if err == nil && op != nil {
		f, err = p.follow(ctx, op)
	}
	if err != nil {
		return err
	}
	of := fmt.Sprintf("%d items, one for an id that can't exist", len(items))
	switch {
	case no != nil && no.status == http.StatusForbidden:
		return noWrite(no)
	case no != nil:
		p.answer(qUnknownID, idRefuses, "%s: %s for the whole request", of, no)
		p.unknown(qFailedItem, "no item could be made to fail: the whole request is refused")
		return nil
	case slices.ContainsFunc(f.results, func(r result) bool { return r.Status == "created" }):
		p.answer(qUnknownID, idCreated, "%s: status created", of)
		p.report.Others = append(p.report.Others, "a new message "+p.ghost+" (remove it)")
	case f.bad == 0:
		p.answer(qUnknownID, idPasses, "%s: %d succeeded", of, f.good)
	default:
		p.answer(qUnknownID, idFails, "%s: %d succeeded, %d failed", of, f.good, f.bad)
		p.failedItem(f)
		return nil
	}
	p.unknown(qFailedItem, "no item could be made to fail")
	return nil
}

// failedItem says in which form a failure is told.
func (p *prober) failedItem(f fate) {
	for _, r := range f.results {
		if r.Status != "error" && absent(r.Error) {
			continue
		}
		named := "by nothing"
		if r.Ref != "" {
			named = "by _clientRef"
		} else if r.ID != "" {
			named = "by message id"
		}
		how := failOther
		switch {
		case r.Status == "error" && kindOf(r.Error) == "text":
			how = failText
		case r.Status == "error" && kindOf(r.Error) == "object":
			how = failObject
		case r.Status == "":
			how = failErrors
		}
		p.answer(qFailedItem, how, "named %s, its error is: %s", named, kindOf(r.Error))
		return
	}
	p.answer(qFailedItem, failCount, "failureCount says 1 and nothing names the item")
}

// judgeSize judges by a request of the largest size, and reports whether it was
// refused for that.
func (p *prober) judgeSize(no *refusal) (tooLarge bool) {
	size := fmt.Sprintf("%d KiB", p.cfg.MaxBytes>>10)
	switch {
	case no == nil:
		p.answer(qSize, sizeTaken, "%s accepted", size)
		return false
	case no.status != http.StatusRequestEntityTooLarge:
		p.answer(qSize, sizeOther, "%s: %s", size, no)
		return false
	}
	p.answer(qSize, sizeRefused, "%s: %s", size, no)
	p.set("batch.max_bytes", fmt.Sprintf("%dKiB", max(p.cfg.MaxBytes>>12, 1)), "a request of "+size+" was refused (413); a quarter of it, as the limit itself was not looked for")
	return true
}

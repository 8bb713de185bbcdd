package pipeline

import (
	"time"

	"go.uber.org/zap"

	"kafka-kustomer/batcher"
)

// tell logs what a person should know.
func (p *Pipeline) tell(now time.Time, n batcher.Notice) {
	why := []zap.Field{zap.String("reason", n.Reason.Code), zap.String("detail", n.Reason.Text)}
	switch n.Kind {
	case batcher.DeliveryPaused:
		p.paused(now, n, why)
	case batcher.BatchUnanswered:
		p.log.Warn("a batch has no answer; its changes are sent again in another one, and the messages wait for that", append(why,
			zap.String("batch_id", n.Batch.ID), zap.Int("items", len(n.Batch.Items)), zap.Int("attempt", n.Attempts),
			zap.Duration("duration_seconds", now.Sub(n.Since)))...)
	case batcher.LooksFail:
		p.log.Error("operations can't be read, so nothing can be settled; nothing is lost, and it goes on by itself once they can",
			append(why, zap.Duration("for_seconds", now.Sub(n.Since)), zap.Int("failed_looks", n.Attempts),
				zap.Duration("next_attempt_in_seconds", n.Until.Sub(now)))...)
	case batcher.LooksGoOn:
		p.log.Info("operations can be read again", zap.Duration("after_seconds", now.Sub(n.Since)))
	case batcher.DeliveryResumed:
		p.log.Info("delivery goes on", zap.Duration("after_seconds", now.Sub(n.Since)))
	case batcher.QuotaExhausted:
		if why = append(why, zap.Duration("rest_seconds", n.Until.Sub(now))); n.Asked > 0 {
			why = append(why, zap.Duration("asked_seconds", n.Asked)) // more than kustomer.max_pause: it is tried sooner
		}
		p.log.Warn("the org's request quota is used up; all calls rest until its reset", why...)
	case batcher.OperationOverdue:
		p.log.Warn("an operation runs longer than kustomer.overdue_after; its messages wait for it: check the status page of Kustomer for bulk jobs",
			zap.String("operation_id", n.Operation.ID), zap.Duration("for_seconds", now.Sub(n.Since)))
	case batcher.BrakeHolds:
		p.log.Error("the brake holds: nothing more is dead-lettered. What waits is lost to nobody: put right what is wrong (the events' format, the key's role, fields of the org), or release the brake (POST /brake/release) to dead-letter it after all", why...)
	case batcher.BrakeReleased:
		p.log.Info("the brake is released", zap.Duration("after_seconds", now.Sub(n.Since)))
	case batcher.AllOverdue:
		p.log.Error("every open operation runs longer than kustomer.overdue_after, so nothing new is sent: check the status page of Kustomer for bulk jobs",
			zap.Int("operations", n.Attempts))
	case batcher.SlotsFree:
		p.log.Info("operations end again, and new ones are sent", zap.Duration("after_seconds", now.Sub(n.Since)))
	case batcher.QuotaBack:
		p.log.Info("the rest is over: calls get through again", zap.Duration("after_seconds", now.Sub(n.Since)))
	case batcher.BytesLearned:
		p.log.Warn("a request was too large for Kustomer or a proxy: requests are smaller for a while; set batch.max_bytes",
			zap.String("batch_id", n.Batch.ID), zap.Int("bytes", n.Batch.Bytes), zap.Int("max_bytes", n.Bytes), zap.Duration("for_seconds", n.Until.Sub(now)))
	case batcher.TakeoverBegun:
		p.log.Info("partition was not given back clean; its first request waits until nothing of the last owner can overtake it",
			append(partition(n.Assignment), zap.Duration("rest_seconds", n.Until.Sub(now)))...)
	case batcher.TakeoverOver:
		p.log.Info("partition is taken over", partition(n.Assignment)...)
	}
}

// paused tells that a batch did not get through. What lasts until somebody sees to
// it is an error, and names the batch and the records that wait in it.
func (p *Pipeline) paused(now time.Time, n batcher.Notice, why []zap.Field) {
	fields := append(why, zap.Duration("for_seconds", now.Sub(n.Since)),
		zap.Int("failed_attempts", n.Attempts), zap.Duration("next_attempt_in_seconds", n.Until.Sub(now)))
	if n.Batch != nil { // else it was a look at an operation
		fields = append(fields, zap.String("batch_id", n.Batch.ID))
	}
	if !n.Certain {
		p.log.Warn("delivery is paused; nothing is lost, and it goes on by itself once an attempt gets through", fields...)
		return
	}
	if n.Batch != nil {
		first := n.Batch.Items[0]
		fields = append(append(fields, partition(first.Assignment)...),
			zap.Int64("first_offset", first.Events[0].Offset), zap.Int("items", len(n.Batch.Items)))
	}
	p.log.Error("delivery is paused until this is put right; nothing is lost or skipped, and batches are tried again meanwhile", fields...)
}

// account says what became of everything, when it is over.
func (p *Pipeline) account(c batcher.Counts) {
	p.log.Info("the account: what became of the records that were read",
		zap.Uint64("delivered", c.Delivered), zap.Uint64("completed", c.Completed), zap.Uint64("dead_lettered", c.DeadLettered),
		zap.Uint64("skipped", c.Skipped), zap.Uint64("left_to_the_next_owner", c.Dropped))
}

func partition(a *batcher.Assignment) []zap.Field {
	return []zap.Field{zap.String("topic", a.Topic), zap.Int32("partition", a.Partition)}
}

// story logs one line a batch, when its end is known. Of the up to fifteen parts in
// which a guilty change is looked for, the first is told of, and the change itself
// when it goes to the dead-letter topic; the others are for who looks closer.
func (p *Pipeline) story(r *batcher.Report) {
	switch {
	case r.Kind == batcher.ReportCompleted:
		p.log.Info("batch completed", completed(r)...)
	case r.Kind == batcher.ReportRefused && r.Batch.Parent == "":
		p.log.Info("batch refused; nothing of it was applied, and it is sent again in parts until what is guilty is alone", refused(r)...)
	case r.Kind == batcher.ReportRefused:
		p.log.Debug("part of a batch refused", refused(r)...)
	}
}

func completed(r *batcher.Report) []zap.Field {
	counts := fates(r)
	fields := append(what(r), zap.String("operation_id", r.Operation.ID),
		zap.Int("updated", counts[batcher.FateUpdated]), zap.Int("failed", counts[batcher.FateFailed]),
		zap.Int("returned", counts[batcher.FateReturned]), zap.Int("dead_lettered", counts[batcher.FateDeadLettered]),
		zap.Int("looks", r.Looks))
	for _, f := range r.Fates {
		if f.Fate == batcher.FateReturned && f.Reason.Code != "" { // one of them stands for all
			return append(fields, zap.String("reason", f.Reason.Code), zap.String("detail", f.Reason.Text))
		}
	}
	return fields
}

func refused(r *batcher.Report) []zap.Field {
	counts := fates(r)
	return append(what(r), zap.Int("status", r.Outcome.Status),
		zap.String("reason", r.Outcome.Reason.Code), zap.String("detail", r.Outcome.Reason.Text),
		zap.Int("returned", counts[batcher.FateReturned]), zap.Int("dead_lettered", counts[batcher.FateDeadLettered]))
}

// what says which batch it was, how large, and how long it took.
func what(r *batcher.Report) []zap.Field {
	b := r.Batch
	events, attempt := size(b)
	fields := []zap.Field{
		zap.String("batch_id", b.ID), zap.Int("items", len(b.Items)), zap.Int("events", events), zap.Int("attempt", attempt),
		zap.Stringer("closed_by", b.Reason), zap.Duration("duration_seconds", r.At.Sub(b.Cut)),
	}
	if b.Parent != "" {
		fields = append(fields, zap.String("part_of", b.Parent))
	}
	return fields
}

func fates(r *batcher.Report) (counts [4]int) {
	for _, f := range r.Fates {
		counts[f.Fate]++
	}
	return counts
}

// size counts the events of a batch, and how often the one of its items that was
// sent most has been.
func size(b *batcher.Batch) (events, attempt int) {
	for _, it := range b.Items {
		events += len(it.Events)
		attempt = max(attempt, it.Attempts)
	}
	return events, attempt
}

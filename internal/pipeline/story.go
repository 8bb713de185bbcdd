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
		p.log.Warn("delivery is paused; nothing is lost, and it goes on by itself once an attempt gets through",
			append(why, zap.Duration("since", now.Sub(n.Since)), zap.Int("failed_attempts", n.Attempts),
				zap.Duration("next_attempt_in", n.Until.Sub(now)))...)
	case batcher.DeliveryResumed:
		p.log.Info("delivery goes on", zap.Duration("paused_for", now.Sub(n.Since)))
	case batcher.QuotaExhausted:
		p.log.Warn("the org's request quota is used up; all calls rest until its reset",
			append(why, zap.Duration("rest", n.Until.Sub(now)))...)
	case batcher.OperationOverdue:
		p.log.Warn("an operation runs longer than kustomer.overdue_after; its messages wait for it: check the status page of Kustomer for bulk jobs",
			zap.String("operation_id", n.Operation.ID), zap.Duration("since", now.Sub(n.Since)))
	case batcher.TakeoverBegun:
		p.log.Info("partition was not given back clean; its first request waits until nothing of the last owner can overtake it",
			append(partition(n.Assignment), zap.Duration("at_least", n.Until.Sub(now)))...)
	case batcher.TakeoverOver:
		p.log.Info("partition is taken over", partition(n.Assignment)...)
	}
}

func partition(a *batcher.Assignment) []zap.Field {
	return []zap.Field{zap.String("topic", a.Topic), zap.Int32("partition", a.Partition)}
}

// story logs one line a batch, when its end is known.
func (p *Pipeline) story(r *batcher.Report) {
	if r.Kind != batcher.ReportCompleted {
		return
	}
	var counts [4]int
	for _, f := range r.Fates {
		counts[f.Fate]++
	}
	p.log.Info("batch completed",
		zap.String("batch_id", r.Batch.ID), zap.String("operation_id", r.Operation.ID),
		zap.Int("items", len(r.Batch.Items)), zap.Stringer("closed_by", r.Batch.Reason),
		zap.Int("updated", counts[batcher.FateUpdated]), zap.Int("failed", counts[batcher.FateFailed]),
		zap.Int("returned", counts[batcher.FateReturned]), zap.Int("dead_lettered", counts[batcher.FateDeadLettered]),
		zap.Duration("took", r.At.Sub(r.Batch.Cut)), zap.Int("looks", r.Looks))
}

package main

// pipelineQuick are the tests of the loop but TestStorm and TestScale, which take longer
// than all others together.
const pipelineQuick = "internal/pipeline ^Test([^S]|Sh|Story)"

// pipelineGuards are those of the loop: what it carries out, in which order, and
// for how long anybody has to wait for it.
var pipelineGuards = []guard{
	// The lease.
	{name: "a request has a lease", file: "internal/pipeline/carry.go", old: "p.sink.Put(p.callCtx, b, p.leaseHolds)", new: "p.sink.Put(p.callCtx, b, func() bool { return true })", tests: pipelineQuick},
	{name: "the lease is renewed", file: "internal/pipeline/carry.go", old: "p.lease.Store(&until)", new: "p.lease.CompareAndSwap(nil, &until)", tests: pipelineQuick},
	{name: "the lease ends by the monotonic clock", file: "internal/pipeline/carry.go", old: "return now.Before(*until) && ", new: "return ", tests: pipelineQuick},
	{name: "the lease ends by the wall clock", file: "internal/pipeline/carry.go", old: "&& now.Round(0).Before(until.Round(0))", new: "", tests: pipelineQuick},

	{name: "a goroutine makes more than one call", file: "internal/pipeline/crew.go", old: "\t\t\t\tcall()\n\t\t\t}\n", new: "\t\t\t\tc.run(call)\n\t\t\t\treturn\n\t\t\t}\n", tests: pipelineQuick},

	// Commits.
	{name: "a commit has a deadline", file: "internal/pipeline/carry.go", old: "context.WithTimeout(context.WithoutCancel(p.callCtx), timeout)", new: "context.WithTimeout(context.WithoutCancel(p.callCtx), time.Hour)", tests: pipelineQuick},
	{name: "a commit of a shutdown ends in time", file: "internal/pipeline/carry.go", old: "if p.draining && !p.closeBy.IsZero() {", new: "if false {", tests: pipelineQuick},
	{name: "a commit of a shutdown leaves time for others", file: "internal/pipeline/carry.go", old: "by = p.waitBy", new: "_ = by", tests: pipelineQuick},
	{name: "the last commit has half a second", file: "internal/pipeline/carry.go", old: ", lastCommit)", new: ", 0)", tests: pipelineQuick},
	{name: "a revocation cuts a waiting commit", file: "internal/pipeline/facts.go", old: "if f.p.cancelCommit != nil {", new: "if false {", tests: pipelineQuick},
	{name: "a revocation that waits for a commit cuts it", file: "internal/pipeline/carry.go", old: "if p.cancelCommit != nil && p.core.AwaitsCommit(now) {", new: "if false {", tests: pipelineQuick},
	{name: "no last commit is cut", file: "internal/pipeline/carry.go", old: "\t\tp.cancelCommit = nil // it is what a revocation waits for\n", new: "", tests: pipelineQuick},

	// Result events and dead letters.
	{name: "a result event not written is written again", file: "internal/pipeline/carry.go", old: "\t\tp.inbox.put(again{p, func() { p.produceReport(r) }})\n", new: "", tests: pipelineQuick},
	{name: "a dead letter not written is written again", file: "internal/pipeline/carry.go", old: "\t\tp.inbox.put(again{p, func() { p.produceBury(b) }})\n", new: "", tests: pipelineQuick},
	{name: "a failed write is no written one", file: "internal/pipeline/carry.go", old: "\tp.results.Report(r, func(err error) {\n\t\tif err == nil {", new: "\tp.results.Report(r, func(err error) {\n\t\tif true {", tests: pipelineQuick},
	{name: "writing again takes a rest", file: "internal/pipeline/carry.go", old: "now.Add(f.p.cfg.ProduceRetry)", new: "now", tests: pipelineQuick},
	{name: "writing again wakes the loop", file: "internal/pipeline/carry.go", old: "return p.earliestDelayed(d.Until)", new: "return d.Until", tests: pipelineQuick},

	// Ownership.
	{name: "a revocation waits until all is quiet", file: "internal/pipeline/owner.go", old: "\tfor _, ch := range quiet {\n", new: "\tfor _, ch := range quiet[:0] {\n", tests: pipelineQuick},
	{name: "a revocation leaves nothing behind", file: "internal/pipeline/owner.go", old: "\tdefer p.forgetQuiet(as)\n", new: "", tests: pipelineQuick},
	{name: "a revocation obeys its context", file: "internal/pipeline/owner.go", old: "\t\tcase <-ctx.Done():\n\t\t\treturn\n", new: "", tests: pipelineQuick},
	{name: "a revocation does not wait for a loop that ended", file: "internal/pipeline/owner.go", old: "\t\tcase <-p.stopped:\n\t\t\treturn\n", new: "", tests: pipelineQuick},
	{name: "an assignment nobody waits for is let go", file: "internal/pipeline/owner.go", old: "\t\tp.inbox.put(abandoned{f})\n", new: "", tests: pipelineQuick},
	{name: "a loss is known when its callback returns", file: "internal/pipeline/owner.go", old: "\tselect {\n\tcase <-f.done:\n\tcase <-p.stopped:\n\t}\n", new: "", tests: pipelineQuick},
	{name: "who asks does not wait for a loop that ended", file: "internal/pipeline/owner.go", old: "\tcase <-p.stopped:\n\t\treturn answer, ErrStopped\n", new: "", tests: pipelineQuick},

	// Polling.
	{name: "no poll without room", file: "internal/pipeline/pipeline.go", old: "room := min(p.core.Room(), p.cfg.MaxPoll); room > 0 {", new: "room := p.cfg.MaxPoll; room > 0 {", tests: pipelineQuick},
	{name: "no poll larger than the bound", file: "internal/pipeline/pipeline.go", old: "room := min(p.core.Room(), p.cfg.MaxPoll); room > 0 {", new: "room := p.core.Room(); room > 0 {", tests: pipelineQuick},
	{name: "one poll at a time", file: "internal/pipeline/pipeline.go", old: "if p.polling || p.draining || p.grants == nil {", new: "if p.draining || p.grants == nil {", tests: pipelineQuick},
	{name: "a poll is handed over when the core has it", file: "internal/pipeline/pipeline.go", old: "\tselect {\n\tcase <-f.done:\n\t\treturn nil\n", new: "\tselect {\n\tdefault:\n\t\treturn nil\n\tcase <-f.done:\n\t\treturn nil\n", tests: pipelineQuick},
	{name: "facts are told in the order they came", file: "internal/pipeline/inbox.go", old: "b.facts = append(b.facts, f)", new: "b.facts = append([]fact{f}, b.facts...)", tests: pipelineQuick},
	{name: "a fact wakes the loop", file: "internal/pipeline/inbox.go", old: "case b.signal <- struct{}{}:", new: "case (chan struct{})(nil) <- struct{}{}:", tests: pipelineQuick},

	// Shutdown.
	{name: "a shutdown waits for what runs", file: "internal/pipeline/pipeline.go", old: "\tstopPolling()\n\tif errors.Is(p.fatal, ErrLost) {", new: "\tstopPolling()\n\tif true {", tests: pipelineQuick},
	{name: "a shutdown does not wait for ever", file: "internal/pipeline/pipeline.go", old: "p.closeBy = now.Add(p.cfg.DrainTimeout)", new: "p.closeBy = now.Add(100 * p.cfg.DrainTimeout)", tests: pipelineQuick},
	{name: "a shutdown keeps time for the last commit", file: "internal/pipeline/pipeline.go", old: "reserve := min(p.cfg.CommitTimeout+time.Second, p.cfg.DrainTimeout/4)", new: "reserve := time.Duration(0)", tests: pipelineQuick},
	{name: "a lost group commits nothing", file: "internal/pipeline/pipeline.go", old: "if errors.Is(p.fatal, ErrLost) {", new: "if false {", tests: pipelineQuick},
	{name: "calls are cut once nothing is ours", file: "internal/pipeline/pipeline.go", old: "if p.core.Partitions() == 0 {", new: "if p.core.Partitions() == 0 && now.After(p.closeBy.Add(time.Minute)) {", tests: pipelineQuick},
	{name: "calls go on while something is ours", file: "internal/pipeline/pipeline.go", old: "if p.core.Partitions() == 0 {", new: "if true {", tests: pipelineQuick},
	{name: "the end of polling ends the program in order", file: "internal/pipeline/pipeline.go", old: "p.fatal = fmt.Errorf(\"polling ended: %w\", err)\n\t\t\t\tp.drain(stopPolling)\n", new: "p.fatal = fmt.Errorf(\"polling ended: %w\", err)\n\t\t\t\treturn\n", tests: pipelineQuick},
	{name: "no line of a batch holds a payload", file: "internal/pipeline/story.go", old: `zap.String("batch_id", b.ID), zap.Int("items",`, new: `zap.String("batch_id", b.ID+string(b.Items[0].Patch)), zap.Int("items",`},
}

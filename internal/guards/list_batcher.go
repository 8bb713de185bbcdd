package main

import (
	"reflect"

	"kafka-kustomer/batcher"
)

// batcherRules are the rules of the core, each by its knob. Where two places keep
// one promise, taking one away shows nothing, and the knob takes both. Package
// model shows what the world does to a core without one.
func batcherRules() (list []guard) {
	for field := range reflect.TypeFor[batcher.Rules]().Fields() {
		knob := field.Name + ": true,"
		list = append(list, guard{name: "rule " + field.Name, file: "batcher/config.go", old: knob, new: field.Name + ": false,"})
	}
	return list
}

// batcherGuards are those of the core that have no knob, or more places than one.
var batcherGuards = []guard{
	// Records of several changes.
	{name: "a record settles with its last change", file: "batcher/siblings.go", old: "s.over || wholeRecord && s.open > 1 {", new: "s.over {"},
	{name: "a record given up in part is not completed", file: "batcher/intake.go", old: "\t\tif s.givenUp {\n\t\t\tcount = deadLettered\n\t\t}\n", new: ""},
	{name: "a record dropped in part is dropped once", file: "batcher/intake.go", old: "\t\ts.over = true\n\t\tev.Assignment.ledger.drop()\n", new: "\t\tev.Assignment.ledger.drop()\n"},
	{name: "the credit of a record is freed with its last change", file: "batcher/intake.go", old: "if s.open--; s.open == 0 {", new: "if s.open--; true {"},
	{name: "a record dropped in part does not settle", file: "batcher/siblings.go", old: "s.over || wholeRecord && s.open > 1 {", new: "wholeRecord && s.open > 1 {"},
	{name: "a record whose changes are all dropped is dropped once", file: "batcher/intake.go", old: "} else if !s.over {", new: "} else {"},
	{name: "a lost partition's dead letters are not counted", file: "batcher/delivery.go", old: "\tif b.Event.Assignment.phase != dead {\n\t\tc.buried", new: "\tif true {\n\t\tc.buried"},
	{name: "the credit of a record is taken", file: "batcher/siblings.go", old: "\ta.bytes += s.bytes\n", new: ""},
	{name: "the last change of a record frees its credit", file: "batcher/intake.go", old: "\t\t\tbytes += s.bytes\n", new: "\t\t\tbytes += 0\n"},
	{name: "changes of a record keep their order", file: "batcher/siblings.go", old: "\tfor i := range s.n {\n", new: "\tfor i := s.n - 1; i >= 0; i-- {\n"},

	// Offsets of what was not read yet.
	{name: "where a partition waits is committed", file: "batcher/intake.go", old: "a.ledger.next, a.started = position, true", new: "a.ledger.next = position"},
	{name: "where a partition waits is no news where there is a commit", file: "batcher/intake.go", old: "a.phase != live || a.ledger.next >= 0 {", new: "a.phase != live {"},

	// Order.
	{name: "successors wait while a stray may run", file: "batcher/chain.go", old: "if c.rules.StrayWait && !it.stray && it.chain.strayUntil.After(now) {", new: "if false {"},
	{name: "the stray time outlives the chain's items", file: "batcher/chain.go", old: "if until := later(ch.strayUntil, ch.coolUntil); until.After(now) {", new: "if until := later(ch.strayUntil, ch.coolUntil); false {"},
	{name: "an attempt of unknown end leaves a stray", file: "batcher/evidence.go", old: "\t\tc.strayed(it, now)\n", new: ""},
	{name: "an operation that lost a result leaves a stray", file: "batcher/operation.go", old: "\tc.strayed(it, since)\n", new: "\t_ = since\n"},
	{name: "what was sent takes no more changes", file: "batcher/merge.go", old: "!(it.frozen && c.rules.Frozen) &&\n", new: "\n"},
	{name: "an item holds changes of one partition", file: "batcher/merge.go", old: "(it.Assignment == a || !c.rules.OnePartition)", new: "true"},
	{name: "complete is no success without a result", file: "batcher/operation.go", old: "case v.Kind == Complete && !c.rules.ResultsNotStatus:", new: "case v.Kind == Complete:"},
	{name: "no PUT after the lease", file: "batcher/window.go", old: "|| c.leaseOver(now) {", new: "{"},
	{name: "no PUT before the write-ahead mark", file: "batcher/assignment.go", old: "if !a.ahead || len(a.inherited) > 0 {", new: "if len(a.inherited) > 0 {"},
	{name: "no PUT before inherited operations have ended", file: "batcher/assignment.go", old: "if !a.ahead || len(a.inherited) > 0 {", new: "if !a.ahead {"},
	{name: "no PUT before the takeover wait is over", file: "batcher/assignment.go", old: "if now.Before(a.gateUntil) {", new: "if false {"},
	{name: "clean only without a stray", file: "batcher/commit.go", old: "(!now.Before(a.strayUntil) || !c.rules.CleanWithoutStray) &&", new: ""},
	{name: "clean only when one's own takeover is over", file: "batcher/commit.go", old: "(gate || !a.ahead || !c.rules.CleanAfterTakeover)", new: "(gate || true)"},
	{name: "clean only with nothing open", file: "batcher/commit.go", old: "return a.open == 0 && len(a.operations) == 0 &&", new: "return len(a.operations) == 0 &&"},

	// Offsets.
	{name: "only the settled prefix is committed", file: "batcher/ledger.go", old: "for l.head < l.tail && l.at(l.head).stamp&settled != 0 {", new: "for l.head < l.tail {"},
	{name: "a record settles once", file: "batcher/ledger.go", old: "if seq < l.head || seq >= l.tail || l.at(seq).stamp&settled != 0 {", new: "if false {"},
	{name: "a dropped record is not settled", file: "batcher/ledger.go", old: "\tl.counts.Dropped++\n", new: "\tl.counts.Dropped++\n\tl.at(l.head).settled = true\n\tl.head++\n"},
	{name: "records of a dead assignment are refused", file: "batcher/intake.go", old: "if a.phase != live && c.rules.TaggedRecords {", new: "if false {"},
	{name: "one commit in flight", file: "batcher/commit.go", old: "if c.committing != nil || now.Before(c.commitAt)", new: "if now.Before(c.commitAt)"},
	{name: "after an unknown commit, once more", file: "batcher/commit.go", old: "\t\t\ta.recommit = now.Add(c.cfg.Recommit)\n", new: ""},
	{name: "a change given back takes its successors along", file: "batcher/chain.go", old: "behind = behind || x == it", new: "behind = x == it"},

	// Refusals.
	{name: "a refused batch is split", file: "batcher/suspects.go", old: "\ts.level = min(s.level+1, alone)\n\tfor s.level < alone && c.most", new: "\tfor false && c.most"},
	{name: "a small batch is split as well", file: "batcher/suspects.go", old: "for s.level < alone && c.most(s.level) > (items+1)/2 {", new: "for false {"},
	{name: "only a batch of one proves guilt", file: "batcher/suspects.go", old: "case len(b.Items) == 1 || !c.rules.OwnRefusal && onlyOneLeft(b):", new: "case onlyOneLeft(b):"},
	{name: "a lone item of several changes is halved", file: "batcher/suspects.go", old: "len(it.Events) > 1 && c.rules.HalveInOrder && !c.over(it) {\n\t\t\tit.suspect.parent", new: "false {\n\t\t\tit.suspect.parent"},
	{name: "a conflict is tried again first", file: "batcher/suspects.go", old: "case o.Status == 409 && c.mayPass(now, b):", new: "case false:"},
	{name: "a conflict that lasts is split", file: "batcher/suspects.go", old: "if most == conflictsToRaise {", new: "if false {"},
	{name: "a lone conflict is given up", file: "batcher/suspects.go", old: "if s := b.Items[0].suspected(); s.clashes < c.cfg.ItemAttempts {", new: "if s := b.Items[0].suspected(); true {"},
	{name: "a lone conflict has patience of its own", file: "batcher/suspects.go", old: "if s := b.Items[0].suspected(); s.clashes < c.cfg.ItemAttempts {", new: "if s := b.Items[0].suspected(); s.conflicts+1 < conflictsToRaise {"},
	{name: "a refusal is told of what is ours", file: "batcher/delivery.go", old: "return f.Item.Assignment.phase == dead && c.rules.DeadStartsNothing", new: "return false"},
	{name: "a 403 lets one more poll in", file: "batcher/evidence.go", old: "\t\tc.letIn(now)\n\t\treturn returned(b)", new: "\t\treturn returned(b)"},
	{name: "a 413 makes batches smaller", file: "batcher/suspects.go", old: "if o.Status == 413 && len(b.Items) > 1 && b.Parent == \"\" {", new: "if false {"},
	{name: "a split teaches no size", file: "batcher/suspects.go", old: " && b.Parent == \"\" {", new: " {"},
	{name: "a learned size has a floor", file: "batcher/suspects.go", old: "max(b.Bytes/2, 4*largest, leastBytes)", new: "max(b.Bytes/2, 1+0*largest)"},
	{name: "under the brake what was tried least is tried", file: "batcher/window.go", old: "from = c.ready.best(1, triedLess)", new: "from = c.ready.best(1, older)"},
	{name: "a look's 429 is the org's", file: "batcher/operation.go", old: "v.Reason, false)", new: "v.Reason, c.isOfObject(v.Quota))"},
	{name: "doubtful batches are split", file: "batcher/evidence.go", old: "case (guilty || others) && len(o.Hints) == len(b.Items) && len(b.Items) > 1:", new: "case false:"},
	{name: "a learned size is tried again later", file: "batcher/suspects.go", old: "s.bytes > 0 && now.Before(s.bytesUntil)", new: "s.bytes > 0"},
	{name: "hinted items go on their own", file: "batcher/suspects.go", old: "case hinted != nil:", new: "case false:"},
	{name: "wrong hints are not believed for long", file: "batcher/suspects.go", old: "|| now.Before(c.suspicion.hintsFrom) {", new: "{"},
	{name: "fresh work has its turns", file: "batcher/window.go", old: "from == nil || due && c.suspicion.turn%3 != 0 {", new: "from == nil || due && false {"},
	{name: "suspects have their turns", file: "batcher/window.go", old: "from == nil || due && c.suspicion.turn%3 != 0 {", new: "from == nil || due {"},
	{name: "a 403 proves nothing before others got through", file: "batcher/evidence.go", old: "guilty, others := !c.rules.DoubtEvidence, false", new: "guilty, others := true, false"},
	{name: "a 403 has to be met time and again", file: "batcher/evidence.go", old: "e.lasted(now, 1+doubtsToProve, c.cfg.ItemOver)", new: "e.lasted(now, 2, 0)"},
	{name: "audit members wait for what others show", file: "batcher/evidence.go", old: "wait := 2 * c.cfg.Linger", new: "wait := time.Duration(0)"},

	// Unknown outcomes.
	{name: "an attempt counts only after a success elsewhere", file: "batcher/suspects.go", old: "if e.n > 0 && e.successes == successes {", new: "if false {"},
	{name: "unknown outcomes split a batch", file: "batcher/evidence.go", old: "case !solo && s.unknown.n >= unknownsToRaise && c.rules.Suspects:\n\t\tc.raise(s, len(b.Items))\n", new: "case !solo && s.unknown.n >= unknownsToRaise && c.rules.Suspects:\n"},
	{name: "what ends unknown again and again goes alone", file: "batcher/evidence.go", old: "\t\ts.level = alone // company", new: "\t\t_ = alone // company"},
	{name: "a few unknown outcomes do not halve an item", file: "batcher/evidence.go", old: "if s.solitary.n >= c.cfg.UnknownAttempts && c.rules.Suspects", new: "if s.solitary.n >= unknownsToRaise && c.rules.Suspects"},
	{name: "many unknown outcomes halve an item", file: "batcher/evidence.go", old: "if s.solitary.n >= c.cfg.UnknownAttempts && c.rules.Suspects", new: "if false && c.rules.Suspects"},
	{name: "a lone change of unknown outcome has eight attempts", file: "batcher/evidence.go", old: "s.solitary.lasted(now, c.cfg.UnknownAttempts, c.cfg.UnknownOver)", new: "s.solitary.lasted(now, 1, c.cfg.UnknownOver)"},
	{name: "a lone change of unknown outcome has ten minutes", file: "batcher/evidence.go", old: "s.solitary.lasted(now, c.cfg.UnknownAttempts, c.cfg.UnknownOver)", new: "s.solitary.lasted(now, c.cfg.UnknownAttempts, 0)"},
	{name: "the probe of an outage is one item", file: "batcher/window.go", old: "case c.door.closed && c.rules.ProbeOne:", new: "case false:"},
	{name: "the probe of an outage is another each time", file: "batcher/window.go", old: "return a.Attempts < b.Attempts || a.Attempts == b.Attempts && older(a, b)", new: "return a.Attempts > b.Attempts"},
	{name: "the reserve lets a poll in beyond the credit", file: "batcher/credit.go", old: "c.extra = min(c.cfg.MaxItems, max(part, 1),", new: "c.extra = min(0, c.cfg.MaxItems, max(part, 1),"},
	{name: "the reserve resumes a paused partition", file: "batcher/credit.go", old: "if a.paused && a.phase == live && a.ledger.span() < reserveOfSpan*c.cfg.MaxOpenEvents {", new: "if false {"},
	{name: "the reserve is bounded", file: "batcher/credit.go", old: "a.ledger.span() < reserveOfSpan*c.cfg.MaxOpenEvents {", new: "true {"},

	// Limits.
	{name: "a 429 of an object is split", file: "batcher/evidence.go", old: "\t\tc.suspectAll(b)\n\t\tc.allBack(now, b, now)\n\t\treturn\n\t}\n\tit := b.Items[0]", new: "\t}\n\tit := b.Items[0]"},
	{name: "a limited message rests", file: "batcher/evidence.go", old: "\tit.chain.coolUntil = later(it.chain.coolUntil, now.Add(rest))\n", new: ""},
	{name: "objects' limits everywhere are the org's", file: "batcher/evidence.go", old: "&& c.suspicion.objectWalls < objectWalls", new: ""},
	{name: "no call before the quota's reset", file: "batcher/pace.go", old: "if rests && now.Before(p.rest) {", new: "if false {"},
	{name: "the door closes after three failures", file: "batcher/door.go", old: "if !certain && !d.closed && d.failures < failuresToClose {", new: "if !certain && !d.closed {"},
	{name: "bad luck does not close the door", file: "batcher/door.go", old: "if !certain && !d.closed && d.failures < failuresToClose {", new: "if false {"},
	{name: "a refused key stops looks as well", file: "batcher/looks.go", old: "if !d.locked {", new: "if true {"},
	{name: "a look that the key is refused closes the door", file: "batcher/looks.go", old: "\t\t\tc.failedCall(now, nil, v.Reason, true, true)\n", new: ""},
	{name: "a look that gets through opens the door", file: "batcher/looks.go", old: "\t\tif c.door.locked {\n\t\t\tc.answers()", new: "\t\tif false {\n\t\t\tc.answers()"},
	{name: "failing looks are rare", file: "batcher/looks.go", old: "[]*door{&c.reading, &c.door}", new: "[]*door{&c.door}"},
	{name: "a 403 of a PUT lets looks go on", file: "batcher/delivery.go", old: "o.Kind == Unauthorized && o.Status != 403", new: "o.Kind == Unauthorized"},
	{name: "a pause is told ever more seldom", file: "batcher/door.go", old: "if d.failures < d.tellAt && ", new: "if false && "},
	{name: "rests of the quota are told ever more seldom", file: "batcher/delivery.go", old: "if now.Sub(c.limitedTold) < c.limitedGap {", new: "if false {"},
	{name: "a batch without an answer is told", file: "batcher/delivery.go", old: "c.decide(Notice{Kind: BatchUnanswered,", new: "_ = (Notice{Kind: BatchUnanswered,"},
	{name: "a batch that nobody owns any more is not told", file: "batcher/delivery.go", old: "if ours && !c.door.closed {", new: "if (ours || true) && !c.door.closed {"},
	{name: "a rest ends when its time is over", file: "batcher/delivery.go", old: "if c.restTold && !now.Before(c.pace.rest) {", new: "if c.restTold {"},
	{name: "the end of a rest is told once", file: "batcher/delivery.go", old: "\t\tc.restTold = false\n", new: ""},
	{name: "the end of an overdue standstill is told", file: "batcher/looks.go", old: "c.decide(Notice{Kind: SlotsFree,", new: "_ = (Notice{Kind: SlotsFree,"},
	{name: "a lost operation is the reason of what is returned", file: "batcher/operation.go", old: "fate.Fate, fate.Reason = FateReturned, noResult(v)", new: "fate.Fate = FateReturned"},
	{name: "a wall of 429s is one rest", file: "batcher/delivery.go", old: "c.limitedWhy = why; resting {", new: "c.limitedWhy = why; resting && false {"},
	{name: "one probe at a time", file: "batcher/door.go", old: "if inFlight > 0 {", new: "if false {"},

	// The brake.
	{name: "the brake holds", file: "batcher/brake.go", old: "return doomed > b.least &&", new: "return false && doomed > b.least &&"},
	{name: "the brake lets few through", file: "batcher/brake.go", old: "return doomed > b.least && float64(doomed) > b.share*float64(all)", new: "return float64(doomed) > b.share*float64(all)"},
	{name: "the brake lets a small share through", file: "batcher/brake.go", old: "float64(doomed) > b.share*float64(all)", new: "(true || all > 0)"},
	{name: "the brake forgets after a minute", file: "batcher/brake.go", old: "if s.number >= first {", new: "if true || s.number >= first {"},
	{name: "one batch in thirty seconds while the brake holds", file: "batcher/window.go", old: "if c.refusals.on && now.Before(c.refusals.probeAt) {", new: "if false {"},
	{name: "probes of the brake grow smaller", file: "batcher/brake.go", old: "c.refusals.probe = max(1, min(c.refusals.probe, len(b.Items))/2)", new: "_ = b.Items"},
	{name: "a release by hand lets all go", file: "batcher/brake.go", old: "\t\tb.freeUntil = later(b.freeUntil, now.Add(brakeFreeGap)) // what", new: "\t\t// what"},
	{name: "inherited operations are looked at once for all", file: "batcher/ownership.go", old: "op := c.inherited[id]\n", new: "var op *Operation\n"},
	{name: "the last owner takes the looks along", file: "batcher/ownership.go", old: "\tc.disown(a)\n", new: ""},
	{name: "an idle member is not in trouble", file: "batcher/snapshot.go", old: "|| c.door.locked && len(c.looks)+c.looking > 0)", new: "|| c.door.locked)"},
	{name: "a lease that is over is told", file: "batcher/snapshot.go", old: "return c.leaseOver(now) && c.chains.n > 0 && !now.Before(c.leaseEnd())", new: "return false"},
	{name: "an outage keeps the lock", file: "batcher/delivery.go", old: "locked || c.door.locked && !certain", new: "locked"},
	{name: "a closed door waits after any failure", file: "batcher/door.go", old: "if !certain && !d.closed &&", new: "if !certain &&"},
	{name: "what is unknown comes back together", file: "batcher/evidence.go", old: "\tfor _, it := range b.Items {\n\t\tif it.phase == gone {\n\t\t\tcontinue\n\t\t}\n\t\tc.strayed", new: "\tfor _, it := range b.Items {\n\t\twait = c.backoff(5)\n\t\tif it.phase == gone {\n\t\t\tcontinue\n\t\t}\n\t\tc.strayed"},
	{name: "a revocation does not wait for a rest", file: "batcher/ownership.go", old: "|| c.pace.until().After(a.deadline)", new: ""},
	{name: "a look waits for a rest", file: "batcher/looks.go", old: "later(op.nextLook, c.pace.until())", new: "op.nextLook"},
	{name: "a probe that passes releases the brake", file: "batcher/brake.go", old: "} else if op.Batch.probesBrake && c.refusals.on {", new: "} else if false {"},
	{name: "only a probe that passes releases the brake", file: "batcher/brake.go", old: "if slices.ContainsFunc(op.results, func(r ItemResult) bool { return r.Status != Updated }) {", new: "if false {"},
	{name: "the brake releases itself when few are concerned", file: "batcher/brake.go", old: "doomed+c.concerned(b) < b.least {", new: "false && doomed < 0 {"},
	{name: "the brake does not release itself by holding", file: "batcher/brake.go", old: "doomed+c.concerned(b) < b.least {", new: "doomed < b.least {"},
	{name: "released by hand it does not hold at once", file: "batcher/brake.go", old: "if now.Before(b.freeUntil) {", new: "if false {"},
	{name: "a revocation does not wait for what can't be read", file: "batcher/ownership.go", old: "&& c.mayEnd(a) {", new: "{"},
	{name: "a revocation waits for what may end", file: "batcher/ownership.go", old: "if op.looking || !c.nextLookAt(op).After(a.deadline) {", new: "if op.looking {"},
	{name: "a revocation waits for what Kafka has to acknowledge", file: "batcher/ownership.go", old: "return unseen != a.open", new: "return false && unseen > 0"},
	{name: "a revocation looks once more", file: "batcher/ownership.go", old: "\t\tc.looks.schedule(op, last)\n", new: ""},
	{name: "a revocation drops what the brake holds", file: "batcher/ownership.go", old: "\tc.dropHeld(func(a *Assignment) bool { return a.phase == revoking })\n", new: ""},
	{name: "a lost partition takes what the brake holds", file: "batcher/ownership.go", old: "\tc.dropHeld(func(x *Assignment) bool { return x == a })\n", new: ""},
	{name: "a revocation does not wait when nothing gets through", file: "batcher/ownership.go", old: "if keep == 0 || c.stopped(a) {", new: "if keep == 0 {"},

	// Settling, patience, credit.
	{name: "settled only when the result event is in Kafka", file: "batcher/operation.go", old: "\tif !c.rules.SettleAfterReport {\n", new: "\tif true {\n"},
	{name: "settled only when the dead letter is in Kafka", file: "batcher/delivery.go", old: "\tif !c.rules.SettleAfterBurial {\n", new: "\tif true {\n"},
	{name: "a failed item is tried again", file: "batcher/operation.go", old: "if !tried && it.Failures <= c.cfg.ItemAttempts {", new: "if !tried && false {"},
	{name: "what belongs to a dead assignment starts nothing", file: "batcher/delivery.go", old: "\tif op.ours() == 0 && c.rules.DeadStartsNothing {", new: "\tif false {"},
	{name: "polling needs credit by events", file: "batcher/credit.go", old: "min(c.cfg.MaxOpenEvents-c.openEvents, c.fits(", new: "min(c.cfg.MaxOpenEvents, c.fits("},
	{name: "polling needs credit by bytes", file: "batcher/credit.go", old: "if c.openBytes >= c.cfg.MaxOpenBytes {", new: "if false {"},
	{name: "a poll is no larger than the bytes allow", file: "batcher/credit.go", old: "min(c.cfg.MaxOpenEvents-c.openEvents, c.fits(c.cfg.MaxOpenBytes))", new: "c.cfg.MaxOpenEvents-c.openEvents"},
	{name: "a partition that holds its share is paused", file: "batcher/credit.go", old: "if c.holds(a, 2) || c.holds(a, 4) && now.Sub(a.movedAt) >= standstill {", new: "if false {"},
	{name: "failing looks are told", file: "batcher/looks.go", old: "c.decide(Notice{Kind: LooksFail,", new: "_ = (Notice{Kind: LooksFail,"},
	{name: "an operation that runs too long is told", file: "batcher/looks.go", old: "if !op.overdue && now.Sub(op.Accepted) >= c.cfg.OverdueAfter {", new: "if false {"},
}

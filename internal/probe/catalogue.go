package probe

// Verdict is an answer in a few words.
type Verdict string

// Unknown is the verdict on a question that could not be asked or answered.
const Unknown Verdict = "not known"

// The verdicts.
const (
	customMerged   Verdict = "merged by key"
	customReplaced Verdict = "replaced as a whole"

	nullClears  Verdict = "clears"
	nullIgnored Verdict = "ignored"
	nullRefused Verdict = "refused"
	nullFails   Verdict = "fails the item"
	nullTaken   Verdict = "accepted"

	objectsReplaced Verdict = "replaced"
	objectsShallow  Verdict = "merged one level down"
	objectsDeep     Verdict = "merged deeply"
	objectsMerged   Verdict = "merged, how deep is not known"
	objectsNotDeep  Verdict = "replaced, or merged one level down"

	orderKept    Verdict = "in order, as far as seen"
	orderBroken  Verdict = "overtaken"
	orderForeign Verdict = "somebody else writes"

	refEchoed  Verdict = "echoed"
	refSilent  Verdict = "accepted, not echoed"
	refRefused Verdict = "refused"

	idFails   Verdict = "the item fails"
	idRefuses Verdict = "the whole request is refused"
	idPasses  Verdict = "reported as updated"
	idCreated Verdict = "creates a message"

	failText   Verdict = "status error, error is a text"
	failObject Verdict = "status error, error is an object"
	failErrors Verdict = "errors of id and data, no result"
	failCount  Verdict = "a count, no name"
	failOther  Verdict = "status error, without a reason"

	firstComplete    Verdict = "may be complete"
	firstNotComplete Verdict = "never complete, as far as seen"

	memberRefused Verdict = "the request is refused"
	memberFails   Verdict = "the item fails"
	memberIgnored Verdict = "ignored"

	emptyRefused Verdict = "refused"
	emptyTaken   Verdict = "accepted"

	repeatRefused Verdict = "refused"
	repeatLast    Verdict = "accepted, the second wins"
	repeatFirst   Verdict = "accepted, the first wins"
	repeatNone    Verdict = "accepted, neither stands"

	auditRefused Verdict = "refused"
	auditIgnored Verdict = "ignored"
	auditWritten Verdict = "written"

	sizeTaken   Verdict = "accepted"
	sizeRefused Verdict = "too large"
	sizeOther   Verdict = "refused, not for its size"

	allHeaders  Verdict = "on every reply"
	someHeaders Verdict = "on some replies"
	noHeaders   Verdict = "none"

	epochReset   Verdict = "on replies that are no 429, a time to come"
	limitedReset Verdict = "on a 429 only, a time to come"
	oddReset     Verdict = "no time to come"
	noReset      Verdict = "not seen"

	hasObject Verdict = "seen"
	noObject  Verdict = "not seen"

	goodDate   Verdict = "there, and near this clock"
	skewedDate Verdict = "there, but apart from this clock or missing at times"
	noDate     Verdict = "none"

	durationSeen Verdict = "measured"
)

// The questions' ids.
const (
	qCustom        = "custom"
	qNullCustom    = "null_in_custom"
	qNull          = "null_in_subject"
	qNullElsewhere = "null_elsewhere"
	qObjects       = "objects"
	qOrder         = "order"
	qUnknownID     = "unknown_id"
	qFailedItem    = "failed_item"
	qShape         = "results"
	qClientRef     = "client_ref"
	qFirstReply    = "first_reply"
	qRepeatedID    = "repeated_id"
	qUnknownMember = "unknown_member"
	qEmpty         = "empty_request"
	qAudit         = "audit_members"
	qSize          = "size"
	qQuota         = "quota_headers"
	qReset         = "quota_reset"
	qObject        = "object_limit"
	qDate          = "date_header"
	qDuration      = "duration"
)

// question is one of the catalogue, with what each answer means.
type question struct {
	id, text string
	means    map[Verdict]meaning
}

// meaning is what the connector does because of an answer.
type meaning struct {
	text     string
	contrary bool // the connector assumes otherwise
	settings []Setting
}

func fine(text string) meaning { return meaning{text: text} }

func fineWith(text string, settings ...Setting) meaning {
	return meaning{text: text, settings: settings}
}

func contrary(text string, settings ...Setting) meaning {
	return meaning{text, true, settings}
}

// noFold switches folding off: where null does nothing, the earlier change of
// two, which a fold drops for the later null, would have stood.
var noFold = contrary(
	"Folding assumes that null clears. Here a value and then null leaves the value when sent one by one, and loses it when folded: MESSAGES END DIFFERENTLY. Switch folding off. And a field that an event clears stays as it is.",
	Setting{"batch.merge.enabled", "false", "null is ignored in this org, and a fold would lose the value before it"})

var noNull = fine("An event with such a null is refused, found by splitting, and goes to the dead-letter topic: don't send them.")

// catalogue is all questions in the order of the report.
var catalogue = []question{
	{qCustom, "Is custom merged by key, or replaced?", map[Verdict]meaning{
		customMerged: fine("As assumed: changes of custom that wait together are folded by key."),
		customReplaced: contrary(
			"Folding assumes that custom merges by key. Here each write removes every attribute it does not name, so two changes folded into one leave attributes that the same two sent one by one would have removed: MESSAGES END DIFFERENTLY. Keep custom out of folding. And let each event carry all of custom, or attributes get lost.",
			Setting{"batch.merge.barrier", "[custom]", "custom is replaced as a whole in this org; folding assumes that it merges by key"}),
	}},
	{qNullCustom, "Does null clear a custom attribute?", map[Verdict]meaning{
		nullClears: fine("As documented: null is a value like others, and folds."), nullIgnored: noFold, nullRefused: noNull,
	}},
	{qNull, "Does null clear subject?", map[Verdict]meaning{
		nullClears: fine("As documented: null is a value like others, and folds."), nullIgnored: noFold, nullRefused: noNull,
	}},
	{qNullElsewhere, "Is null taken where the documentation has none?", map[Verdict]meaning{
		nullTaken: fine("Such events are sent as they are and count as delivered: see yourself whether they clear."), nullRefused: noNull,
		nullFails: fine("The item is tried again and then goes to the dead-letter topic."),
	}},
	{qObjects, "Are other objects (meta) replaced, or merged?", map[Verdict]meaning{
		objectsReplaced: fineWith("More may be folded than by default.", Setting{"batch.merge.objects", "replace", "shown: meta is replaced as a whole; safe works too and folds less"}),
		objectsShallow:  fineWith("The default folds only what is the same either way. Never set replace here: values would be lost.", keepSafe),
		objectsDeep:     fineWith("The default folds only what is the same either way. Never set replace here: values would be lost.", keepSafe),
		objectsMerged:   fineWith("The default folds only what is the same either way. Never set replace here: values would be lost.", keepSafe),
		objectsNotDeep:  fineWith("The default folds only what is the same either way.", keepSafe),
	}},
	{qOrder, "Do operations end in the order of acceptance?", map[Verdict]meaning{
		orderKept:    fine("A few pairs on an idle org prove no promise: the connector goes on waiting for one operation before the next of a message."),
		orderBroken:  fine("As assumed: the connector never has two operations of one message open, so this can't turn a message back."),
		orderForeign: fine("The answer is worth nothing: try with a message that nobody touches."),
	}},
	{qUnknownID, "What becomes of an item for a message that does not exist?", map[Verdict]meaning{
		idFails:   fine("As assumed: the item is tried again, then dead-lettered; the others of its request are not touched."),
		idRefuses: fine("The request is split until the item is alone, up to 15 requests for one in a hundred: keep such events out of the topic."),
		idPasses:  contrary("A change for a message that does not exist COUNTS AS DELIVERED, for nothing says otherwise. No setting helps: make sure of the ids where the events are made."),
		idCreated: contrary("A wrong id MAKES A NEW MESSAGE. No setting helps: make sure of the ids where the events are made."),
	}},
	{qFailedItem, "How is a failed item told?", map[Verdict]meaning{
		failText: fine("Read as it is; the reason goes into the dead letter."), failObject: fine("Read as it is; the reason goes into the dead letter."),
		failErrors: fine("Read as it is, by message id."), failOther: fine("Read as it is; the dead letter has no reason."),
		failCount: contrary("The connector can't tell which item failed: it waits, and sends all of them again. Expect repeats."),
	}},
	{qShape, "Which form do results have?", map[Verdict]meaning{
		pagedShape: fine("Read as it is."), besideShape: fine("Read as it is."), flatShape: fine("Read as it is."), countsShape: fine("Items are found by message id instead of reference."),
		unknownShape: contrary("The connector CAN'T READ how operations end, and everything would wait. Report this before you run it."),
	}},
	{qClientRef, "Is _clientRef known and echoed?", map[Verdict]meaning{
		refEchoed: fine("As assumed: results are found by it."), refSilent: fine("Results are found by message id."),
		refRefused: fine("The connector notices with its first request and goes on without: results are found by message id."),
	}},
	{qFirstReply, "Does the first reply ever say complete?", map[Verdict]meaning{
		firstComplete:    fine("The connector looks all the same: complete means finished, not successful."),
		firstNotComplete: fine("The connector looks up each operation, about once."),
	}},
	{qRepeatedID, "May a message be in one request twice?", map[Verdict]meaning{
		repeatRefused: fine("The connector never does that."), repeatLast: fine("The connector never does that."),
		repeatFirst: fine("The connector never does that, and here it would be wrong."), repeatNone: fine("The connector never does that; somebody else may have written meanwhile."),
	}},
	{qUnknownMember, "What becomes of a member that does not exist?", map[Verdict]meaning{
		memberRefused: fine("As assumed: the event is found by splitting and goes to the dead-letter topic."), memberFails: fine("The item is tried again, then dead-lettered."),
		memberIgnored: fine("A misspelt member counts as delivered: nothing says otherwise."),
	}},
	{qEmpty, "What becomes of a request without items?", map[Verdict]meaning{
		emptyRefused: fine("The connector never sends one."), emptyTaken: fine("The connector never sends one."),
	}},
	{qAudit, "What becomes of modifiedAt, an audit member?", map[Verdict]meaning{
		auditRefused: fine("Needs org.admin: such events are sent apart, and dead-lettered when the others get through."),
		auditIgnored: fine("Events that set it count as delivered, and it is not set: give the key org.admin if it matters."),
		auditWritten: fine("This key may write it."),
	}},
	{qSize, "Is a request of batch.max_bytes taken?", map[Verdict]meaning{
		sizeTaken: fine("Nothing to set."), sizeRefused: fine("A 413 is split, which costs requests: lower the limit."), sizeOther: fine("Nothing learned about the size."),
	}},
	{qQuota, "Which quota headers come?", map[Verdict]meaning{
		allHeaders:  fineWith("The pace follows them.", autoPace),
		someHeaders: fineWith("The pace follows the last ones seen.", autoPace),
		noHeaders: fineWith("There is nothing to follow: fix the pace.",
			Setting{"kustomer.requests_per_minute", "240", "no quota headers came; this is the lowest documented limit, 300, less the default reserve: raise it to your plan's"}),
	}},
	{qReset, "What does x-ratelimit-reset mean?", map[Verdict]meaning{
		epochReset: fine("Read as UTC epoch seconds, as assumed."), limitedReset: fine("Read as UTC epoch seconds, as assumed."),
		oddReset: contrary("Assumed are UTC epoch seconds within a minute. The connector bounds what it waits; watch for 429s."),
		noReset:  fine("No 429 was provoked, and it may come only then. Without it the connector waits for the next minute at most."),
	}},
	{qObject, "Is there a limit of updates for one message?", map[Verdict]meaning{
		hasObject: fine("A message that is limited rests alone; folding is what helps a hot message."), noObject: fine("Not seen does not mean that there is none."),
	}},
	{qDate, "Is Date there, and right?", map[Verdict]meaning{
		goodDate: fine("Waits are measured against it."), skewedDate: fine("Waits are measured against it, not against this clock: but put this machine's clock right."),
		noDate: fine("Waits are measured by this machine's clock: keep it right."),
	}},
	{qDuration, "How long do operations take?", map[Verdict]meaning{
		durationSeen: fine("See lost_reply_wait and overdue_after below."),
	}},
}

var (
	keepSafe = Setting{"batch.merge.objects", "safe", "objects are not known to be replaced in this org"}
	autoPace = Setting{"kustomer.requests_per_minute", "auto", "quota headers came"}
)

func find(id string) question {
	for _, q := range catalogue {
		if q.id == id {
			return q
		}
	}
	return question{}
}

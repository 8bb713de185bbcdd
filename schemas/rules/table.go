package rules

// item is what Kustomer's bulk API reference says of an item's members. Its id and
// _clientRef are the connector's, and no part of a patch.
var item = open(map[string]*rule{
	"conversation": text(),
	"related":      text(),
	"createdBy":    objectID(),
	"modifiedBy":   objectID().orNull(),
	"externalId":   textUpTo(256).orNull(),
	"subject":      textUpTo(256).orNull(),
	"preview":      textUpTo(10_240).orNull(),
	"lang":         textUpTo(100).orNull(),
	"status":       oneOf("sent", "received", "error"),
	"error":        closed(errorMembers),
	"errorAt":      dateTime(),
	"sentAt":       dateTime().orNull(),
	"createdAt":    dateTime(),
	"modifiedAt":   dateTime(),
	"updatedAt":    dateTime(),
	"size":         number(),
	"attachments":  arrayOf(closed(attachmentMembers, "_id", "name", "contentType", "contentLength")),
	"meta":         free().upTo(100),
	"custom":       custom().upTo(100),
	"sentiment":    closed(sentimentMembers, "polarity", "confidence"),

	"customer":   notUpdatable,
	"channel":    notUpdatable,
	"app":        notUpdatable,
	"direction":  notUpdatable,
	"auto":       notUpdatable,
	"source":     notUpdatable,
	"shortcuts":  notUpdatable,
	"kbArticles": notUpdatable,
	"location":   notUpdatable,
	"reference":  notUpdatable,
	"importedAt": notUpdatable,
	"queue":      notUpdatable,
	"spam":       notUpdatable,
	"reactions":  notUpdatable,

	"rev":              readOnly,
	"redacted":         readOnly,
	"directionType":    readOnly,
	"assignedUsers":    readOnly,
	"assignedTeams":    readOnly,
	"createdByTeams":   readOnly,
	"intentDetections": readOnly,
})

var errorMembers = map[string]*rule{
	"status": number(),
	"code":   text(),
	"title":  text(),
	"detail": text(),
	"source": free(),
	"meta":   free(),
	"links":  free(),
}

var attachmentMembers = map[string]*rule{
	"_id":           objectID(),
	"name":          text(),
	"contentType":   text(),
	"contentLength": number(),
	"sourceId":      objectID(),
}

var sentimentMembers = map[string]*rule{
	"polarity":   numberThat("-1, 0 or 1", isPolarity),
	"confidence": numberThat("a number from -1 to 1", isConfidence),
}

// customTypes: the end of a custom member's name sets its type.
var customTypes = []suffix{
	{"Str", textUpTo(1024).orNull()},
	{"Txt", text().orNull()},
	{"Num", number().orNull()},
	{"At", dateTime().orNull()},
	{"Bool", boolean().orNull()},
	{"Url", uri().orNull()},
	{"Id", nonEmptyText().orNull()}, // of something that exists, which is not known here
}

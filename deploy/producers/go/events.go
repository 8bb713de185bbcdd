package main

import "time"

type object = map[string]any

type event struct {
	EventID    string    `json:"eventId,omitempty"`
	OccurredAt time.Time `json:"occurredAt,omitzero"`
	MessageID  string    `json:"messageId"`
	Changes    object    `json:"changes"`
}

var events = []event{
	{"e-1", at(0, 123), "5f2f3c1a9d1e8b0012345678", object{
		"subject": "Re: commande n° 7", "custom": object{"tierStr": "gold", "visitsNum": int64(3)},
	}},
	{"e-2", at(1, 0), "5f2f3c1a9d1e8b0012345678", object{"status": "sent", "sentAt": at(0, 987), "lang": nil}},
	{"e-3", at(2, 0), "5f2f3c1a9d1e8b0012345679", object{
		"status": "error", "error": object{"status": int32(550), "code": "mailbox_full"}, "custom": object{"noteTxt": nil},
	}},
}

func at(s, ms int) time.Time { return time.Date(2026, 11, 24, 2, 30, s, ms*1e6, time.UTC) }

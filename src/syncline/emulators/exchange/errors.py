"""What the emulated server can refuse, in the vendor's response codes.

Knows response codes and their texts, nothing of XML, HTTP or the store. Source of codes and texts: the public
EWS reference, page ResponseCode.
"""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "ErrorAccessDenied": "Access is denied. Check credentials and try again.",
    "ErrorCalendarCannotMoveOrCopyOccurrence": "An occurrence of a series cannot be moved or copied.",
    "ErrorCalendarCannotUseIdForOccurrenceId": "The identifier is not that of a recurring master.",
    "ErrorCalendarCannotUseIdForRecurringMasterId": "The identifier is not that of an occurrence.",
    "ErrorCalendarDurationIsTooLong": "The item lasts longer than five years.",
    "ErrorCalendarEndDateIsEarlierThanStartDate": "EndDate is earlier than StartDate.",
    "ErrorCalendarFolderIsInvalidForCalendarView": "A calendar view needs a calendar folder.",
    "ErrorCalendarInvalidRecurrence": "The recurrence information is invalid.",
    "ErrorCalendarIsCancelledForAccept": "The meeting was cancelled.",
    "ErrorCalendarIsCancelledForDecline": "The meeting was cancelled.",
    "ErrorCalendarIsCancelledForTentative": "The meeting was cancelled.",
    "ErrorCalendarIsOrganizerForAccept": "The organizer cannot answer an own meeting.",
    "ErrorCalendarIsOrganizerForDecline": "The organizer cannot answer an own meeting.",
    "ErrorCalendarIsOrganizerForTentative": "The organizer cannot answer an own meeting.",
    "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange": "Occurrence index is out of recurrence range.",
    "ErrorCalendarOccurrenceIsDeletedFromRecurrence": "Occurrence with this index was previously deleted.",
    "ErrorCalendarViewRangeTooBig": "Calendar view range can't span more than two years.",
    "ErrorCannotDeleteObject": "The specified object couldn't be deleted.",
    "ErrorChangeKeyRequiredForWriteOperations": "The change key is required for this operation.",
    "ErrorFolderExists": "An object with the same name already exists.",
    "ErrorFolderNotFound": "The specified folder could not be found in the store.",
    "ErrorImpersonateUserDenied": "The account does not have permission to impersonate the requested user.",
    "ErrorInternalServerError": "An internal server error occurred. The operation failed.",
    "ErrorInvalidAttachmentId": "The specified attachment Id is invalid.",
    "ErrorInvalidExtendedProperty": "Extended property attribute combination is invalid.",
    "ErrorInvalidIdMalformed": "Id is malformed.",
    "ErrorInvalidOperation": "The operation is not supported by this server.",
    "ErrorInvalidPropertyDelete": "Property can not be deleted.",
    "ErrorInvalidPropertyAppend": "Property can not be appended to.",
    "ErrorInvalidPropertySet": "Set action is invalid for property.",
    "ErrorInvalidPropertyRequest": "Property is not valid for this object type.",
    "ErrorInvalidRequest": "The request is invalid.",
    "ErrorInvalidSubscription": "The subscription is not valid.",
    "ErrorInvalidSyncStateData": "Synchronization state data is corrupt or otherwise invalid.",
    "ErrorTimeZone": "The time zone identifier is unknown.",
    "ErrorInvalidWatermark": "The watermark used for creating this subscription was not found.",
    "ErrorIrresolvableConflict": (
        "The send or update operation could not be performed because the change key passed in the request"
        " does not match the current change key for the item."
    ),
    "ErrorItemCorrupt": "The item cannot be read.",
    "ErrorItemNotFound": "The specified object was not found in the store.",
    "ErrorNameResolutionNoResults": "No results were found.",
    "ErrorNonExistentMailbox": "The SMTP address has no mailbox associated with it.",
    "ErrorOccurrenceCrossingBoundary": "The occurrence would reach or pass its neighbour.",
    "ErrorObjectTypeChanged": "The item is of another type than the property.",
    "ErrorParentFolderNotFound": "The specified parent folder could not be found.",
    "ErrorRequiredPropertyMissing": "Required property is missing.",
    "ErrorSchemaValidation": "The request failed schema validation.",
    "ErrorSendMeetingCancellationsRequired": "SendMeetingCancellations attribute is required for calendar items.",
    "ErrorSendMeetingInvitationsOrCancellationsRequired": (
        "SendMeetingInvitationsOrCancellations attribute is required for calendar items."
    ),
    "ErrorSendMeetingInvitationsRequired": "SendMeetingInvitations attribute is required for calendar items.",
    "ErrorServerBusy": "The server cannot service this request right now. Try again later.",
    "ErrorSubscriptionNotFound": "The subscription could not be found.",
    "ErrorUnsupportedPathForQuery": "The property can not be used with this type of restriction.",
    "ErrorUnsupportedPathForSortGroup": "The property can not be used for sorting.",
    "ErrorValueOutOfRange": "The value is out of range.",
}


class EwsError(Exception):
    """A refusal with the vendor's response code; `fault` ones answer the whole request, others one message.

    `values` are name and text pairs of MessageXml, such as BackOffMilliseconds.
    """

    def __init__(
        self, code: str, text: str = "", *, fault: bool = False, values: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Take the text of the table unless one is given."""
        super().__init__(code)
        self.code = code
        self.text = text or TEXTS.get(code, code)
        self.fault = fault
        self.values = values

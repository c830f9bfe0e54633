package wire

// The tags of fields.
const (
	TagUserID      = "NM_A_SZ_USERID"
	TagCredentials = "NM_A_SZ_CREDENTIALS"
	TagUserAgent   = "NM_A_SZ_USER_AGENT"
	TagBuild       = "NM_A_UD_BUILD"
	TagAddress     = "nnmIPAddress"
	TagPort        = "nnmPort"
	TagKeepAlive   = "NM_A_UD_KEEPALIVE"
	TagTransaction = "NM_A_SZ_TRANSACTION_ID"
	TagResult      = "NM_A_SZ_RESULT_CODE"

	TagDN          = "NM_A_SZ_DN"
	TagDisplayID   = "NM_A_SZ_AUTH_ATTRIBUTE"
	TagCommonName  = "CN"
	TagGivenName   = "Given Name"
	TagSurname     = "Surname"
	TagFullName    = "Full Name"
	TagDisplayName = "NM_A_SZ_DISPLAY_NAME"
	TagStatus      = "NM_A_SZ_STATUS"
	TagStatusText  = "NM_A_SZ_STATUS_TEXT"
	TagMessageBody = "NM_A_SZ_MESSAGE_BODY"
	TagDetails     = "NM_A_FA_USER_DETAILS"
	TagInformation = "NM_A_FA_INFO_DISPLAY_ARRAY"

	TagContactList = "NM_A_FA_CONTACT_LIST"
	TagFolder      = "NM_A_FA_FOLDER"
	TagContact     = "NM_A_FA_CONTACT"
	TagResults     = "NM_A_FA_RESULTS"
	TagObjectID    = "NM_A_SZ_OBJECT_ID"
	TagParentID    = "NM_A_SZ_PARENT_ID"
	TagSequence    = "NM_A_SZ_SEQUENCE_NUMBER"
	TagType        = "NM_A_SZ_TYPE"

	TagConversation = "NM_A_FA_CONVERSATION"
	TagMessage      = "NM_A_FA_MESSAGE"
	TagMessageText  = "NM_A_SZ_MESSAGE_TEXT"
	TagMessageType  = "NM_A_UD_MESSAGE_TYPE"
)

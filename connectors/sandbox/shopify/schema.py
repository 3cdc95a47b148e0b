"""The part of Shopify's Admin schema that the sandbox serves.

Every type, field, argument, enum and nullability here is as in all official versions from 2025-10 to 2026-10; what is left out is
refused, as Shopify refuses what it does not have. Two lists of ``userErrors`` have had types of their own since 2026-04; they are
served as before, with fields that both have.
"""

from typing import Final

from graphql import build_schema

_QUERIES: Final = """
schema { query: QueryRoot, mutation: Mutation }

scalar DateTime
scalar URL

interface Node { id: ID! }

type QueryRoot {
  inventoryItem(id: ID!): InventoryItem
  inventoryItems(after: String, first: Int, query: String, reverse: Boolean = false): InventoryItemConnection!
  locations(
    after: String, first: Int, includeInactive: Boolean = false, includeLegacy: Boolean = false, reverse: Boolean = false
  ): LocationConnection!
  nodes(ids: [ID!]!): [Node]!
  orders(
    after: String, first: Int, query: String, reverse: Boolean = false, sortKey: OrderSortKeys = PROCESSED_AT
  ): OrderConnection!
  publicApiVersions: [ApiVersion!]!
  webhookSubscriptions(
    after: String, first: Int, reverse: Boolean = false, topics: [WebhookSubscriptionTopic!], uri: String
  ): WebhookSubscriptionConnection!
}

type PageInfo { endCursor: String, hasNextPage: Boolean! }
type ApiVersion { handle: String!, supported: Boolean! }

type InventoryItemConnection { nodes: [InventoryItem!]!, pageInfo: PageInfo! }
type InventoryItem implements Node {
  duplicateSkuCount: Int!
  id: ID!
  inventoryLevels(after: String, first: Int, query: String, reverse: Boolean = false): InventoryLevelConnection!
  sku: String
  tracked: Boolean!
  updatedAt: DateTime!
  variant: ProductVariant!
}
type ProductVariant implements Node { displayName: String!, id: ID! }

type InventoryLevelConnection { nodes: [InventoryLevel!]!, pageInfo: PageInfo! }
type InventoryLevel implements Node {
  id: ID!
  item: InventoryItem!
  location: Location!
  quantities(names: [String!]!): [InventoryQuantity!]!
  updatedAt: DateTime!
}
type InventoryQuantity implements Node { id: ID!, name: String!, quantity: Int!, updatedAt: DateTime }

type LocationConnection { nodes: [Location!]!, pageInfo: PageInfo! }
type Location implements Node {
  address: LocationAddress!
  fulfillsOnlineOrders: Boolean!
  id: ID!
  inventoryLevels(after: String, first: Int, query: String, reverse: Boolean = false): InventoryLevelConnection!
  isActive: Boolean!
  isFulfillmentService: Boolean!
  localPickupSettingsV2: DeliveryLocalPickupSettings
  name: String!
}
type LocationAddress {
  address1: String
  address2: String
  city: String
  countryCode: String
  latitude: Float
  longitude: Float
  phone: String
  provinceCode: String
  zip: String
}
type DeliveryLocalPickupSettings { pickupTime: DeliveryLocalPickupTime! }
enum DeliveryLocalPickupTime {
  CUSTOM FIVE_OR_MORE_DAYS FOUR_HOURS ONE_HOUR TWENTY_FOUR_HOURS TWO_HOURS TWO_TO_FOUR_DAYS
}

type OrderConnection { nodes: [Order!]!, pageInfo: PageInfo! }
type Order implements Node {
  cancelReason: OrderCancelReason
  cancellation: OrderCancellation
  cancelledAt: DateTime
  createdAt: DateTime!
  customAttributes: [Attribute!]!
  fulfillmentOrders(after: String, displayable: Boolean = false, first: Int, reverse: Boolean = false): FulfillmentOrderConnection!
  fulfillments(first: Int): [Fulfillment!]!
  id: ID!
  sourceIdentifier: String
}
type OrderCancellation { staffNote: String }
type Attribute { key: String!, value: String }
enum OrderCancelReason { CUSTOMER DECLINED FRAUD INVENTORY OTHER STAFF }
enum OrderSortKeys {
  CREATED_AT CURRENT_TOTAL_PRICE CUSTOMER_NAME DESTINATION FINANCIAL_STATUS FULFILLMENT_STATUS ID ORDER_NUMBER PO_NUMBER
  PROCESSED_AT RELEVANCE TOTAL_ITEMS_QUANTITY TOTAL_PRICE UPDATED_AT
}

type FulfillmentOrderConnection { nodes: [FulfillmentOrder!]!, pageInfo: PageInfo! }
type FulfillmentOrder implements Node {
  assignedLocation: FulfillmentOrderAssignedLocation!
  id: ID!
  lineItems(after: String, first: Int, reverse: Boolean = false): FulfillmentOrderLineItemConnection!
  order: Order!
  requestStatus: FulfillmentOrderRequestStatus!
  status: FulfillmentOrderStatus!
}
type FulfillmentOrderAssignedLocation { location: Location }
type FulfillmentOrderLineItemConnection { nodes: [FulfillmentOrderLineItem!]!, pageInfo: PageInfo! }
type FulfillmentOrderLineItem implements Node { id: ID!, remainingQuantity: Int!, sku: String, totalQuantity: Int! }
enum FulfillmentOrderRequestStatus {
  ACCEPTED CANCELLATION_ACCEPTED CANCELLATION_REJECTED CANCELLATION_REQUESTED CLOSED REJECTED SUBMITTED UNSUBMITTED
}
enum FulfillmentOrderStatus { CANCELLED CLOSED INCOMPLETE IN_PROGRESS ON_HOLD OPEN SCHEDULED }

type Fulfillment implements Node {
  createdAt: DateTime!
  fulfillmentLineItems(after: String, first: Int, reverse: Boolean = false): FulfillmentLineItemConnection!
  id: ID!
  status: FulfillmentStatus!
  trackingInfo(first: Int): [FulfillmentTrackingInfo!]!
}
type FulfillmentTrackingInfo { company: String, number: String, url: URL }
type FulfillmentLineItemConnection { nodes: [FulfillmentLineItem!]!, pageInfo: PageInfo! }
type FulfillmentLineItem implements Node { id: ID!, lineItem: LineItem!, quantity: Int }
type LineItem implements Node { id: ID!, sku: String }
enum FulfillmentStatus { CANCELLED ERROR FAILURE OPEN PENDING SUCCESS }

type WebhookSubscriptionConnection { nodes: [WebhookSubscription!]!, pageInfo: PageInfo! }
type WebhookSubscription implements Node {
  format: WebhookSubscriptionFormat!
  id: ID!
  topic: WebhookSubscriptionTopic!
  uri: String!
}
enum WebhookSubscriptionFormat { JSON XML }
enum WebhookSubscriptionTopic {
  FULFILLMENTS_CREATE FULFILLMENTS_UPDATE FULFILLMENT_ORDERS_CANCELLATION_REQUEST_ACCEPTED
  FULFILLMENT_ORDERS_CANCELLATION_REQUEST_REJECTED FULFILLMENT_ORDERS_CANCELLATION_REQUEST_SUBMITTED
  FULFILLMENT_ORDERS_CANCELLED FULFILLMENT_ORDERS_FULFILLMENT_REQUEST_ACCEPTED
  FULFILLMENT_ORDERS_FULFILLMENT_REQUEST_REJECTED FULFILLMENT_ORDERS_FULFILLMENT_REQUEST_SUBMITTED
  FULFILLMENT_ORDERS_FULFILLMENT_SERVICE_FAILED_TO_COMPLETE FULFILLMENT_ORDERS_HOLD_RELEASED
  FULFILLMENT_ORDERS_LINE_ITEMS_PREPARED_FOR_LOCAL_DELIVERY FULFILLMENT_ORDERS_LINE_ITEMS_PREPARED_FOR_PICKUP
  FULFILLMENT_ORDERS_MERGED FULFILLMENT_ORDERS_MOVED FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE
  FULFILLMENT_ORDERS_PLACED_ON_HOLD FULFILLMENT_ORDERS_RESCHEDULED FULFILLMENT_ORDERS_SCHEDULED_FULFILLMENT_ORDER_READY
  FULFILLMENT_ORDERS_SPLIT INVENTORY_ITEMS_CREATE INVENTORY_ITEMS_DELETE INVENTORY_ITEMS_UPDATE
  INVENTORY_LEVELS_CONNECT INVENTORY_LEVELS_DISCONNECT INVENTORY_LEVELS_UPDATE LOCATIONS_ACTIVATE LOCATIONS_CREATE
  LOCATIONS_DEACTIVATE LOCATIONS_DELETE LOCATIONS_UPDATE ORDERS_CANCELLED ORDERS_CREATE ORDERS_DELETE ORDERS_EDITED
  ORDERS_FULFILLED ORDERS_PAID ORDERS_PARTIALLY_FULFILLED ORDERS_RISK_ASSESSMENT_CHANGED
  ORDERS_SHOPIFY_PROTECT_ELIGIBILITY_CHANGED ORDERS_UPDATED
}
"""

_MUTATIONS: Final = """
type Mutation {
  fulfillmentOrderCancel(id: ID!): FulfillmentOrderCancelPayload
  fulfillmentOrderMove(id: ID!, newLocationId: ID!): FulfillmentOrderMovePayload
  fulfillmentOrderSubmitCancellationRequest(id: ID!, message: String): FulfillmentOrderSubmitCancellationRequestPayload
  fulfillmentOrderSubmitFulfillmentRequest(
    id: ID!, message: String, notifyCustomer: Boolean
  ): FulfillmentOrderSubmitFulfillmentRequestPayload
  orderCancel(
    notifyCustomer: Boolean = false, orderId: ID!, reason: OrderCancelReason!, refund: Boolean, restock: Boolean!, staffNote: String
  ): OrderCancelPayload
  orderCreate(options: OrderCreateOptionsInput, order: OrderCreateOrderInput!): OrderCreatePayload
  webhookSubscriptionCreate(
    topic: WebhookSubscriptionTopic!, webhookSubscription: WebhookSubscriptionInput!
  ): WebhookSubscriptionCreatePayload
}

interface DisplayableError { field: [String!], message: String! }
type UserError implements DisplayableError { field: [String!], message: String! }

type FulfillmentOrderCancelPayload { fulfillmentOrder: FulfillmentOrder, userErrors: [UserError!]! }
type FulfillmentOrderMovePayload { movedFulfillmentOrder: FulfillmentOrder, userErrors: [UserError!]! }
type FulfillmentOrderSubmitCancellationRequestPayload { fulfillmentOrder: FulfillmentOrder, userErrors: [UserError!]! }
type FulfillmentOrderSubmitFulfillmentRequestPayload { submittedFulfillmentOrder: FulfillmentOrder, userErrors: [UserError!]! }

type OrderCancelPayload { job: Job, orderCancelUserErrors: [OrderCancelUserError!]! }
type Job { done: Boolean!, id: ID! }
type OrderCancelUserError implements DisplayableError { code: OrderCancelUserErrorCode, field: [String!], message: String! }
enum OrderCancelUserErrorCode {
  INTERNAL_ERROR INVALID NOT_FOUND NO_REFUND_PERMISSION NO_REFUND_TO_STORE_CREDIT_PERMISSION
  STORE_CREDIT_REFUND_B2B_NOT_SUPPORTED STORE_CREDIT_REFUND_EXPIRATION_IN_PAST STORE_CREDIT_REFUND_MISSING_CUSTOMER
}

type OrderCreatePayload { order: Order, userErrors: [OrderCreateUserError!]! }
type OrderCreateUserError implements DisplayableError { code: OrderCreateUserErrorCode, field: [String!], message: String! }
enum OrderCreateUserErrorCode {
  FULFILLMENT_SERVICE_INVALID INVALID INVENTORY_CLAIM_FAILED PROCESSED_AT_INVALID REDUNDANT_CUSTOMER_FIELDS SHOP_DORMANT
  TAX_LINE_RATE_MISSING
}

type WebhookSubscriptionCreatePayload { userErrors: [UserError!]!, webhookSubscription: WebhookSubscription }
input WebhookSubscriptionInput { format: WebhookSubscriptionFormat, uri: String }

input OrderCreateOptionsInput {
  inventoryBehaviour: OrderCreateInputsInventoryBehavior = BYPASS
  sendFulfillmentReceipt: Boolean = false
  sendReceipt: Boolean = false
}
enum OrderCreateInputsInventoryBehavior { BYPASS DECREMENT_IGNORING_POLICY DECREMENT_OBEYING_POLICY }

input OrderCreateOrderInput {
  billingAddress: MailingAddressInput
  customAttributes: [OrderCreateCustomAttributeInput!]
  email: String
  financialStatus: OrderCreateFinancialStatus
  lineItems: [OrderCreateLineItemInput!]
  name: String
  note: String
  phone: String
  shippingAddress: MailingAddressInput
  sourceIdentifier: String
  sourceName: String
  tags: [String!]
  test: Boolean = false
}
enum OrderCreateFinancialStatus { AUTHORIZED EXPIRED PAID PARTIALLY_PAID PARTIALLY_REFUNDED PENDING REFUNDED VOIDED }
input OrderCreateCustomAttributeInput { key: String!, value: String! }
input OrderCreateLineItemInput { quantity: Int!, requiresShipping: Boolean = false, sku: String, title: String, variantId: ID }
input MailingAddressInput {
  address1: String
  address2: String
  city: String
  company: String
  countryCode: CountryCode
  firstName: String
  lastName: String
  phone: String
  provinceCode: String
  zip: String
}
enum CountryCode {
  AC AD AE AF AG AI AL AM AN AO AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC
  CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FO FR GA GB GD GE
  GF GG GH GI GL GM GN GP GQ GR GS GT GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM
  KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA
  NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PS PT PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ
  SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG
  VN VU WF WS XK YE YT ZA ZM ZW ZZ
}
"""

SCHEMA: Final = build_schema(_QUERIES + _MUTATIONS)

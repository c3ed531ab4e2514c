// Statements that need `admin` whatever they say: they change who may do what, run code that cannot be seen into, make the
// database dial out or reach the server itself, or outlive the grant. They are not looked into.

import type { Secretive } from './walk.ts';

interface Administration {
  readonly kind: string;
  /** What runs, or will run, unseen. */
  readonly opaque?: string;
  readonly secretive?: Secretive;
}

const code = (kind: string, opaque: string): Administration => ({ kind, opaque });
const role = (kind: string): Administration => ({ kind, secretive: 'password' });
const remote = (kind: string): Administration => ({ kind, secretive: 'all-strings' });
const plain = (kind: string): Administration => ({ kind });

export const ADMINISTRATION: ReadonlyMap<string, Administration> = new Map(
  Object.entries({
    // Code
    AlterEventTrigStmt: code('alter-event-trigger', 'an event trigger'),
    AlterFunctionStmt: code('alter-function', 'a function'),
    CallStmt: code('call', 'the body of a procedure'),
    CreateCastStmt: code('create-cast', 'the function of a cast'),
    CreateConversionStmt: code('create-conversion', 'the function of a conversion'),
    CreateEventTrigStmt: code('create-event-trigger', 'an event trigger'),
    CreateExtensionStmt: code('create-extension', 'the script of an extension'),
    AlterExtensionStmt: code('alter-extension', 'the script of an extension'),
    AlterExtensionContentsStmt: plain('alter-extension'),
    CreateFunctionStmt: code('create-function', 'the body of a function'),
    CreateOpClassStmt: code('create-operator-class', 'the functions of an operator class'),
    CreateOpFamilyStmt: plain('create-operator-family'),
    AlterOpFamilyStmt: code('alter-operator-family', 'the functions of an operator family'),
    AlterOperatorStmt: code('alter-operator', 'the functions of an operator'),
    CreatePLangStmt: code('create-language', 'a language'),
    CreateRangeStmt: code('create-type', 'the functions of a type'),
    AlterTypeStmt: code('alter-type', 'the functions of a type'),
    CreateTransformStmt: code('create-transform', 'the functions of a transform'),
    CreateTrigStmt: code('create-trigger', 'the function of a trigger'),
    CreateAmStmt: code('create-access-method', 'an access method'),
    DoStmt: code('do', 'the body of a DO block'),
    LoadStmt: code('load', 'a library'),
    RuleStmt: code('create-rule', 'the actions of a rule'),

    // Who may do what
    AlterDefaultPrivilegesStmt: plain('alter-default-privileges'),
    AlterOwnerStmt: plain('alter-owner'),
    AlterPolicyStmt: code('alter-policy', 'the conditions of a policy'),
    AlterRoleSetStmt: { kind: 'alter-role', secretive: 'all-strings' },
    AlterRoleStmt: role('alter-role'),
    CreatePolicyStmt: code('create-policy', 'the conditions of a policy'),
    CreateRoleStmt: role('create-role'),
    DropOwnedStmt: plain('drop-owned'),
    DropRoleStmt: plain('drop-role'),
    GrantRoleStmt: plain('grant-role'),
    ReassignOwnedStmt: plain('reassign-owned'),
    SecLabelStmt: plain('security-label'),

    // The database dialling out
    AlterFdwStmt: remote('alter-foreign-data-wrapper'),
    AlterForeignServerStmt: remote('alter-server'),
    AlterSubscriptionStmt: remote('alter-subscription'),
    AlterUserMappingStmt: remote('alter-user-mapping'),
    CreateFdwStmt: remote('create-foreign-data-wrapper'),
    CreateForeignServerStmt: remote('create-server'),
    CreateForeignTableStmt: remote('create-foreign-table'),
    CreateSubscriptionStmt: remote('create-subscription'),
    CreateUserMappingStmt: remote('create-user-mapping'),
    DropSubscriptionStmt: plain('drop-subscription'),
    DropUserMappingStmt: plain('drop-user-mapping'),
    ImportForeignSchemaStmt: remote('import-foreign-schema'),
    AlterPublicationStmt: plain('alter-publication'),
    CreatePublicationStmt: plain('create-publication'),

    // The server, and what outlives the grant
    AlterDatabaseRefreshCollStmt: plain('alter-database'),
    AlterDatabaseSetStmt: { kind: 'alter-database', secretive: 'all-strings' },
    AlterDatabaseStmt: plain('alter-database'),
    AlterObjectDependsStmt: plain('alter-depends'),
    AlterSystemStmt: { kind: 'alter-system', secretive: 'all-strings' },
    AlterTSConfigurationStmt: plain('alter-text-search-configuration'),
    AlterTSDictionaryStmt: plain('alter-text-search-dictionary'),
    AlterTableMoveAllStmt: plain('alter-tablespace'),
    AlterTableSpaceOptionsStmt: plain('alter-tablespace'),
    CheckPointStmt: plain('checkpoint'),
    CreateTableSpaceStmt: plain('create-tablespace'),
    CreatedbStmt: plain('create-database'),
    DropTableSpaceStmt: plain('drop-tablespace'),
    DropdbStmt: plain('drop-database'),
  } satisfies Record<string, Administration>),
);

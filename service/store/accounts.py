"""Accounts of editors, the one-time links by which they choose a password, and their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, Select, and_, delete, or_, select, update

from service.core.model import Account, AccountRole, AdminSession
from service.core.secret import Secret
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import advisory_lock
from service.store.schema import accounts, sessions

ADMINS_LOCK = 0x0CA7EAF
"""Advisory lock of a transaction that ends an admin, so that two admins cannot end each other."""


def folded_name(name: str) -> str:
    """Return the name by which accounts are compared: its case does not count."""
    return name.strip().casefold()


@dataclass(frozen=True, slots=True)
class SqlAccountStore:
    """The tables accounts and sessions. Every coroutine may raise StoreError."""

    database: Database

    async def create(self, account: Account) -> bool:
        """Store a new account; return False, and store nothing, if its name is taken."""
        values = {
            "id": account.id,
            "name": account.name,
            "folded_name": folded_name(account.name),
            "role": account.role.value,
            "email": account.email,
            "created_at": account.created_at,
        }
        new = self.database.insert(accounts).values(values).on_conflict_do_nothing()
        async with self.database.write() as connection:
            return bool((await connection.execute(new)).rowcount)

    async def accounts(self) -> Sequence[Account]:
        """Return all accounts by name."""
        async with self.database.read() as connection:
            rows = (await connection.execute(select(accounts).order_by(accounts.c.folded_name))).mappings()
            return [_account(row) for row in rows]

    async def by_name(self, name: str) -> Account | None:
        """Return the account of this name."""
        return await self._one(select(accounts).where(accounts.c.folded_name == folded_name(name)))

    async def by_id(self, account_id: str) -> Account | None:
        """Return the account with this id."""
        return await self._one(select(accounts).where(accounts.c.id == account_id))

    async def set_link(self, account_id: str, link: str, expires_at: datetime) -> None:
        """Store the hash of a one-time link, which replaces an earlier one."""
        await self._update(account_id, link=link, link_expires_at=expires_at)

    async def by_link(self, link: str, now: datetime) -> Account | None:
        """Return the active account whose unexpired one-time link has this hash."""
        valid = and_(
            accounts.c.link == link, accounts.c.link_expires_at > now, accounts.c.disabled_at.is_(None)
        )
        return await self._one(select(accounts).where(valid))

    async def use_link(self, link: str, password: Secret, now: datetime) -> bool:
        """Replace the password (an Argon2 hash) and end all sessions; return whether the link was valid.

        Of two simultaneous uses of a link one succeeds. The authenticator app is forgotten: the link is for
        people who have lost it, too.
        """
        valid = and_(
            accounts.c.link == link, accounts.c.link_expires_at > now, accounts.c.disabled_at.is_(None)
        )
        values = {
            "password": password.reveal(),
            "link": None,
            "link_expires_at": None,
            "totp": None,
            "totp_step": None,
        }
        async with self.database.write() as connection:
            found = (await connection.execute(select(accounts.c.id).where(valid))).scalar_one_or_none()
            if found is None:
                return False
            changed = await connection.execute(update(accounts).where(valid).values(values))
            if not changed.rowcount:
                return False  # another request used it after the first statement
            await connection.execute(delete(sessions).where(sessions.c.account == found))
            return True

    async def replace_hash(self, account_id: str, old: Secret, new: Secret) -> None:
        """Store a new hash of the same password, unless the password was changed meanwhile."""
        same = and_(accounts.c.id == account_id, accounts.c.password == old.reveal())
        async with self.database.write() as connection:
            await connection.execute(update(accounts).where(same).values(password=new.reveal()))

    async def set_password(self, account_id: str, password: Secret, *, keep_session: str = "") -> None:
        """Replace the password (an Argon2 hash) and end all sessions but `keep_session`."""
        async with self.database.write() as connection:
            same = accounts.c.id == account_id
            await connection.execute(update(accounts).where(same).values(password=password.reveal()))
            others = and_(sessions.c.account == account_id, sessions.c.id != keep_session)
            await connection.execute(delete(sessions).where(others))

    async def set_role(self, account_id: str, role: AccountRole) -> bool:
        """Change what an account may do; it holds from its next request on.

        Return False, and change nothing, if no active admin would be left.
        """
        async with self.database.write() as connection:
            if role is not AccountRole.ADMIN and await _is_last_admin(connection, account_id):
                return False
            changing = update(accounts).where(accounts.c.id == account_id).values(role=role.value)
            await connection.execute(changing)
        return True

    async def set_email(self, account_id: str, email: str) -> None:
        """Change the address of test mails to the account."""
        await self._update(account_id, email=email)

    async def set_totp(self, account_id: str, totp: Secret | None, step: int | None = None) -> None:
        """Store the secret of an authenticator app, with the time step of the code that proved it.

        None forgets the app.
        """
        await self._update(account_id, totp=totp.reveal() if totp else None, totp_step=step)

    async def use_totp_step(self, account_id: str, step: int) -> bool:
        """Mark a time step of one-time codes as used; return False if it, or a later one, was used before."""
        unused = or_(accounts.c.totp_step.is_(None), accounts.c.totp_step < step)
        changing = update(accounts).where(accounts.c.id == account_id, unused).values(totp_step=step)
        async with self.database.write() as connection:
            return bool((await connection.execute(changing)).rowcount)

    async def set_disabled(self, account_id: str, at: datetime | None) -> bool:
        """Disable an account and end its sessions, or with None enable it again.

        Return False, and change nothing, if no active admin would be left.
        """
        async with self.database.write() as connection:
            if at is not None and await _is_last_admin(connection, account_id):
                return False
            same = accounts.c.id == account_id
            await connection.execute(update(accounts).where(same).values(disabled_at=at, link=None))
            await connection.execute(delete(sessions).where(sessions.c.account == account_id))
        return True

    async def delete(self, account_id: str) -> bool:
        """Delete an account and its sessions; the record of its changes stays.

        Return False, and change nothing, if no active admin would be left.
        """
        async with self.database.write() as connection:
            if await _is_last_admin(connection, account_id):
                return False
            await connection.execute(delete(sessions).where(sessions.c.account == account_id))
            await connection.execute(delete(accounts).where(accounts.c.id == account_id))
        return True

    # --- sessions --------------------------------------------------------------------------

    async def start_session(self, session: AdminSession) -> None:
        """Store a session."""
        values = {
            "id": session.id,
            "account": session.account,
            "created_at": session.created_at,
            "seen_at": session.seen_at,
            "client": session.client,
            "agent": session.agent,
        }
        async with self.database.write() as connection:
            await connection.execute(sessions.insert().values(values))

    async def session(self, session_id: str) -> tuple[AdminSession, Account] | None:
        """Return a session with its account."""
        joined = select(sessions, accounts.c.id.label("account_id")).join(
            accounts, accounts.c.id == sessions.c.account
        )
        async with self.database.read() as connection:
            row = (await connection.execute(joined.where(sessions.c.id == session_id))).mappings().first()
            if row is None:
                return None
            held = select(accounts).where(accounts.c.id == row["account_id"])
            account = (await connection.execute(held)).mappings().first()
        return (_session(row), _account(account)) if account else None

    async def note_seen(self, session_id: str, at: datetime) -> None:
        """Store the time of the last request of a session."""
        async with self.database.write() as connection:
            await connection.execute(update(sessions).where(sessions.c.id == session_id).values(seen_at=at))

    async def sessions_of(self, account_id: str) -> Sequence[AdminSession]:
        """Return the sessions of an account, the one used last first."""
        theirs = select(sessions).where(sessions.c.account == account_id).order_by(sessions.c.seen_at.desc())
        async with self.database.read() as connection:
            return [_session(row) for row in (await connection.execute(theirs)).mappings()]

    async def end_session(self, account_id: str, session_id: str) -> bool:
        """Delete a session of an account; return whether the account had it."""
        own = and_(sessions.c.id == session_id, sessions.c.account == account_id)
        async with self.database.write() as connection:
            return bool((await connection.execute(delete(sessions).where(own))).rowcount)

    async def end_other_sessions(self, account_id: str, keep: str) -> int:
        """Delete all sessions of an account but `keep`; return how many."""
        others = and_(sessions.c.account == account_id, sessions.c.id != keep)
        async with self.database.write() as connection:
            return (await connection.execute(delete(sessions).where(others))).rowcount

    async def prune(self, seen_before: datetime, created_before: datetime) -> int:
        """Delete the sessions that were last used or begun before these times; return how many."""
        old = or_(sessions.c.seen_at < seen_before, sessions.c.created_at < created_before)
        async with self.database.write() as connection:
            return (await connection.execute(delete(sessions).where(old))).rowcount

    async def _one(self, query: Select[tuple[object, ...]]) -> Account | None:
        async with self.database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return _account(row) if row else None

    async def _update(self, account_id: str, **values: object) -> None:
        async with self.database.write() as connection:
            await connection.execute(update(accounts).where(accounts.c.id == account_id).values(values))


async def _is_last_admin(connection: StoreConnection, account_id: str) -> bool:
    """Return whether this is the only active admin; until the commit nobody else changes who is one."""
    await advisory_lock(connection, ADMINS_LOCK)
    active = and_(accounts.c.role == AccountRole.ADMIN.value, accounts.c.disabled_at.is_(None))
    return list(await connection.scalars(select(accounts.c.id).where(active))) == [account_id]


def _account(row: RowMapping) -> Account:
    return Account(
        id=row["id"],
        name=row["name"],
        role=AccountRole(row["role"]),
        created_at=row["created_at"],
        email=row["email"],
        password=Secret(row["password"]) if row["password"] else None,
        totp=Secret(row["totp"]) if row["totp"] else None,
        disabled_at=row["disabled_at"],
    )


def _session(row: RowMapping) -> AdminSession:
    return AdminSession(
        id=row["id"],
        account=row["account"],
        created_at=row["created_at"],
        seen_at=row["seen_at"],
        client=row["client"],
        agent=row["agent"],
    )

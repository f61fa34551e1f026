"""The 49 services of the sample centre, how each differs, and when each channel went live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters

__all__ = ["CATALOGUE", "GoLive", "Service", "Traits", "draw_go_live", "draw_traits"]


@dataclass(frozen=True)
class Service:
    """A service that customers call about; ``billing``: asked more when bills come out."""

    code: str
    name: str
    name_zh: str
    billing: bool = False

    @property
    def kind(self) -> str:
        """``query`` or ``transaction``."""
        return "query" if self.code.startswith("Q") else "transaction"


# In the order of their popularity, the most wanted first.
CATALOGUE: tuple[Service, ...] = (
    Service("Q01", "Balance", "话费余额查询", billing=True),
    Service("Q02", "Data used", "流量使用查询"),
    Service("T01", "Plan change", "套餐变更"),
    Service("Q03", "Bill of the month", "月账单查询", billing=True),
    Service("T02", "Data pack order", "流量包订购"),
    Service("Q04", "Plan contents", "套餐内容查询"),
    Service("T03", "Value-added service cancellation", "增值业务退订"),
    Service("T04", "Top-up", "话费充值", billing=True),
    Service("Q05", "Itemised charges", "消费详单查询", billing=True),
    Service("T05", "Broadband fault report", "宽带故障申报"),
    Service("T06", "Password reset", "服务密码重置"),
    Service("Q06", "Promotions", "优惠活动查询"),
    Service("T07", "Data pack cancellation", "流量包退订"),
    Service("T08", "Suspension of a lost phone", "挂失停机"),
    Service("Q07", "Payments made", "缴费记录查询", billing=True),
    Service("T09", "Resumption", "停机恢复"),
    Service("Q08", "Minutes left", "剩余通话时长查询"),
    Service("T10", "International roaming on", "国际漫游开通"),
    Service("T11", "SIM replacement", "补换卡办理"),
    Service("Q09", "Services subscribed to", "已订业务查询"),
    Service("T12", "Mobile internet on", "上网功能开通"),
    Service("T13", "Points redemption", "积分兑换"),
    Service("Q10", "Points", "积分查询"),
    Service("T14", "Broadband renewal", "宽带续约"),
    Service("T15", "Electronic invoice", "电子发票开具", billing=True),
    Service("T16", "Call forwarding", "呼叫转移设置"),
    Service("T17", "Spam call blocking", "骚扰电话拦截"),
    Service("Q11", "Network coverage", "网络覆盖查询"),
    Service("T18", "Value-added service order", "增值业务订购"),
    Service("T19", "Change of customer details", "客户资料变更"),
    Service("Q12", "Service outlets", "营业网点查询"),
    Service("T20", "Family numbers", "亲情号码设置"),
    Service("T21", "Ring-back tone cancellation", "彩铃退订"),
    Service("T22", "Automatic payment", "自动缴费签约", billing=True),
    Service("T23", "Broadband relocation", "宽带移机"),
    Service("T24", "Ring-back tone order", "彩铃订购"),
    Service("Q13", "PUK code", "PUK码查询"),
    Service("T25", "International roaming off", "国际漫游关闭"),
    Service("T26", "Caller display", "来电显示设置"),
    Service("T27", "Missed call alerts", "漏话提醒设置"),
    Service("T28", "Secondary card", "副卡办理"),
    Service("T29", "SMS pack order", "短信包订购"),
    Service("T30", "Spending limit", "消费限额设置"),
    Service("Q14", "Home area of a number", "号码归属地查询"),
    Service("T31", "Company short numbers", "集团短号设置"),
    Service("T32", "Call waiting", "呼叫等待设置"),
    Service("T33", "Voice mail", "语音信箱设置"),
    Service("T34", "Change of ownership", "过户办理"),
    Service("T35", "Closing of an account", "销户办理"),
)

_NEVER = 1 << 30
IS_QUERY = np.array([service.kind == "query" for service in CATALOGUE])
IS_BILLING = np.array([service.billing for service in CATALOGUE])
# What people ask when the network is down, and what a reminder answers beforehand.
IS_FAULT = np.array([service.code in ("T05", "Q11") for service in CATALOGUE])
IS_REMINDED = IS_QUERY & IS_BILLING
# What people ask because a message made them think of it.
IS_ASKED_BACK = np.array([service.code in ("Q05", "Q06", "T03") for service in CATALOGUE])


@dataclass(frozen=True, eq=False)
class Traits:
    """What is true of each service, in the order of the catalogue."""

    share: NDArray[np.float64]
    handle_median_s: NDArray[np.float64]
    contained: NDArray[np.float64]
    acceptance: NDArray[np.float64]
    completion: NDArray[np.float64]
    leakage: NDArray[np.float64]
    web_use: NDArray[np.float64]
    web_completion: NDArray[np.float64]


def draw_traits(parameters: CentreParameters, rng: np.random.Generator) -> Traits:
    """Each service's own shares and times, around what is typical of its kind."""
    p, count = parameters, len(CATALOGUE)
    # The same number of draws whatever the parameters, so that switching an effect off leaves
    # every other service trait as it was.
    noise = rng.standard_normal((6, count))
    weight = (np.arange(1, count + 1) + p.zipf_shift) ** -p.zipf_exponent

    def around(row: int, query: float, transaction: float) -> NDArray[np.float64]:
        typical = np.where(IS_QUERY, query, transaction)
        return np.asarray(expit(logit(typical) + p.channel_spread * noise[row]))

    median = np.where(IS_QUERY, p.query_median_s, p.transaction_median_s)
    return Traits(
        share=weight / weight.sum(),
        handle_median_s=median * np.exp(p.service_spread * noise[0]),
        contained=np.where(IS_QUERY, p.contained_query, p.contained_transaction),
        acceptance=around(1, p.acceptance_query, p.acceptance_transaction),
        completion=around(2, p.completion_query, p.completion_transaction),
        leakage=around(3, p.leakage_query, p.leakage_transaction),
        web_use=around(4, p.web_use_query, p.web_use_transaction),
        web_completion=around(5, p.web_completion, p.web_completion),
    )


@dataclass(frozen=True, eq=False)
class GoLive:
    """Days, counted from the first of the log, on which a channel took up each service.

    A day beyond the log is a plan that had not come true when the log ends; ``planned`` are the
    days it was planned for, by channel. ``hall`` is of the SMS hall, which came before the log to
    queries and never to transactions.
    """

    sms: NDArray[np.int64]
    assist: NDArray[np.int64]
    web: NDArray[np.int64]
    hall: NDArray[np.int64]
    planned: dict[str, NDArray[np.int64]]


def draw_go_live(
    parameters: CentreParameters, days: int, first_weekday: int, rng: np.random.Generator
) -> GoLive:
    """Staggered go-lives: roughly the most wanted services first, on Mondays in a long log."""
    p, count = parameters, len(CATALOGUE)

    def spread(units: NDArray[np.int64], first: float, last: float) -> NDArray[np.int64]:
        # By popularity with noise: a choice, not a lot drawn; so roll-outs are not randomised.
        rank = np.argsort(np.argsort(units + rng.normal(0, 8, len(units))))
        day = np.rint(days * (first + (last - first) * rank / max(len(units) - 1, 1)))
        return _mondays(day.astype(np.int64), days, first_weekday)

    everything = np.arange(count)
    sms = spread(everything, p.sms_first, p.sms_last)
    assist = spread(everything, p.assist_first, p.assist_last)
    order = np.argsort(everything + rng.normal(0, 8, count))
    covered = order[: round(p.web_covered * count)]
    later = np.sort(order[len(covered) :])
    web = np.empty(count, np.int64)
    web[covered] = -rng.integers(60, 500, len(covered))
    web[later] = spread(later, min(0.05, p.web_last), p.web_last)
    slip = 7 if days >= 56 else 1
    planned = {
        name: day - slip * rng.integers(0, 3, count)
        for name, day in (("sms", sms), ("assist", assist), ("web", web))
    }
    hall = np.where(IS_QUERY, -rng.integers(600, 1500, count), _NEVER)
    return GoLive(sms, assist, web, hall, planned)


def _mondays(day: NDArray[np.int64], days: int, first_weekday: int) -> NDArray[np.int64]:
    if days < 56:
        return day
    return np.asarray(day - (day + first_weekday) % 7)

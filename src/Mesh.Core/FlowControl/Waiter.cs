using Mesh.Core.Endpoints;
using Mesh.Core.Routing;

namespace Mesh.Core.FlowControl;

/// <summary>One waiting request and its places in the queue's structures.</summary>
internal sealed class Waiter
{
    /// <summary>Place in its flow's heap; −1 outside.</summary>
    public int FlowIndex = -1;

    /// <summary>Place in the heap of deadlines; −1 outside.</summary>
    public int DeadlineIndex = -1;

    /// <summary>Place in the order in which waits are given up; −1 outside.</summary>
    public int RankIndex = -1;

    /// <summary>Number by which the host knows the waiting request; rises with every arrival, so it also orders ties.</summary>
    public long Ticket { get; set; }

    public RouteRequest Request { get; set; }

    public TimeSpan EnqueuedAt { get; set; }

    /// <summary>When the wait ends without a place.</summary>
    public TimeSpan Deadline { get; set; }

    /// <summary>Order inside the flow: lower goes first.</summary>
    public double Key { get; set; }

    /// <summary>Queue that it stands in; null outside.</summary>
    public WaitQueue? Queue { get; set; }

    /// <summary>Endpoint that it waits for; null when it waits for any with room.</summary>
    public EndpointState? Endpoint { get; set; }

    /// <summary>Its prompt's predicted work there, in milliseconds.</summary>
    public double OwnMs { get; set; }

    /// <summary>Flow that holds it; null outside the queue.</summary>
    public Flow? Flow { get; set; }

    /// <summary>Class it belongs to; null outside the queue.</summary>
    public WaitClass? Class { get; set; }

    internal readonly struct ByKey : IHeapOrder<Waiter>
    {
        public static bool IsBefore(Waiter a, Waiter b) => a.Key != b.Key ? a.Key < b.Key : a.Ticket < b.Ticket;

        public static ref int IndexOf(Waiter item) => ref item.FlowIndex;
    }

    internal readonly struct ByRank : IHeapOrder<Waiter>
    {
        public static bool IsBefore(Waiter a, Waiter b) =>
            a.Request.Priority != b.Request.Priority ? a.Request.Priority < b.Request.Priority : a.Ticket > b.Ticket;

        public static ref int IndexOf(Waiter item) => ref item.RankIndex;
    }

    internal readonly struct ByDeadline : IHeapOrder<Waiter>
    {
        public static bool IsBefore(Waiter a, Waiter b) => a.Deadline != b.Deadline ? a.Deadline < b.Deadline : a.Ticket < b.Ticket;

        public static ref int IndexOf(Waiter item) => ref item.DeadlineIndex;
    }
}

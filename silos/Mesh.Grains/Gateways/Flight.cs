using Mesh.Grains.Contracts;

namespace Mesh.Grains.Gateways;

/// <summary>One message on its way to a pool and back. Answers that it brings when nobody waits for it any more count all the same.</summary>
internal sealed class Flight(Ask[] asks, Exchange message, long sentAt)
{
    /// <summary>Who is asked for.</summary>
    public Ask[] Asks { get; } = asks;

    /// <summary>What is sent.</summary>
    public Exchange Message { get; } = message;

    /// <summary>When.</summary>
    public long SentAt { get; } = sentAt;
}

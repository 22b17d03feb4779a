namespace Mesh.Grains;

/// <summary>Failures of calls to grains that say nothing but that the other side could not be reached, or not in time.</summary>
internal static class GrainFailure
{
    public static bool IsExpected(Exception e) => e is OrleansException or TimeoutException or OperationCanceledException
        or ObjectDisposedException or InvalidOperationException or IOException or System.Net.Sockets.SocketException;
}

using System.Runtime.CompilerServices;

namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>
/// Bodies that are too large to be worked on where their bytes were read. That thread serves hundreds of connections; all of them would wait
/// while one body of megabytes is scanned and hashed.
/// </summary>
internal static class LargeBodies
{
    /// <summary>Largest body that stays on the socket's thread: some 50 µs of work.</summary>
    public const int MaxInlineBytes = 64 * 1024;

    /// <summary>Goes on on the thread pool if a body is large; at once, without allocating, if not.</summary>
    /// <param name="bytes">Length of the body, or of what is about to be copied of it.</param>
    public static ConfiguredTaskAwaitable LeaveSocketThread(int bytes) =>
        Task.CompletedTask.ConfigureAwait(bytes > MaxInlineBytes ? ConfigureAwaitOptions.ForceYielding : ConfigureAwaitOptions.None);
}

namespace Mesh.Gateway.Hosting;

/// <summary>Settings of the runtime that are read once, before the first socket is opened.</summary>
internal static class RuntimeSettings
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Called first thing in the process. What the environment says already stays.</summary>
    public static void Apply()
    {
        // The thread that learns of a socket's bytes goes on with them itself: two thread hops less per request. Nothing on the request
        // path may block for this to be right.
        if (Environment.GetEnvironmentVariable(InlineCompletions) is null) Environment.SetEnvironmentVariable(InlineCompletions, "1");
    }
}

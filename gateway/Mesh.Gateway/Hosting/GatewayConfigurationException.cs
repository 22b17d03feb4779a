namespace Mesh.Gateway.Hosting;

/// <summary>The process cannot start as it was asked to. The message is for the person who started it.</summary>
internal sealed class GatewayConfigurationException(string message, Exception? inner = null) : Exception(message, inner);
